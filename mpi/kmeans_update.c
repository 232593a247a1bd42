#include "mpi/kmeans_update.h"

#include "src/base/memory.h"

#include <string.h>

status kmeans_sum_block_create(kmeans_sum_block *s, int k, int d, int64_t rows, double largest) {
    size_t sums = (size_t)k * (size_t)d;
    *s = (kmeans_sum_block){.words = sums + (size_t)k, .scale = kmeans_scale(rows, largest)};
    s->block = memory_alloc(s->words, sizeof *s->block, "sums of centroids");
    if (!s->block) return STATUS_FAILED;
    s->sum = s->block;
    s->count = s->block + sums;
    return STATUS_OK;
}

void kmeans_sum_block_destroy(kmeans_sum_block *s) {
    memory_free(s->block);
    *s = (kmeans_sum_block){0};
}

/* Rows that leave their clusters, of one rank or of all, in the order of image and pixel. */
typedef struct movers {
    float *row;    /* [count, D] */
    int32_t *from; /* [count]: cluster */
    int count;
} movers;

static status movers_create(movers *m, int count, int d) {
    *m = (movers){.count = count};
    m->row = memory_alloc((size_t)count * (size_t)d, sizeof *m->row, "rows for empty clusters");
    m->from = memory_alloc((size_t)count, sizeof *m->from, "rows for empty clusters");
    return m->row && m->from ? STATUS_OK : STATUS_FAILED;
}

static void movers_destroy(movers *m) {
    memory_free(m->row);
    memory_free(m->from);
    *m = (movers){0};
}

/* Nothing is gained by moving a row that lies at its centroid but for rounding. */
static bool at_centroid(const float *row, int d, float distance) {
    double square = 0;
    for (int j = 0; j < d; j++) square += (double)row[j] * (double)row[j];
    return (double)distance <= 0x1p-44 * square;
}

/* This rank's rows among the `far` ones that are not at their centroid; m has room for all. */
static void collect(
    const features *x, const uint16_t *label, const float *distance, farthest *far, movers *m) {
    size_t d = (size_t)x->d;
    int room = m->count;
    m->count = 0;
    for (size_t i = 0; i < x->n && m->count < room; i++) {
        if (!farthest_next(far, distance[i], 0)) continue;
        float *to = m->row + (size_t)m->count * d;
        const float *row = features_row(x, i, to);
        if (at_centroid(row, x->d, distance[i])) continue;
        if (row != to) memcpy(to, row, d * sizeof *to);
        m->from[m->count++] = label[i];
    }
}

/* all: the movers of every rank, in their order; has room for them. Collective. */
static status gather(const comm *c, const movers *mine, int d, movers *all) {
    size_t ranks = (size_t)comm_size(c);
    int64_t *count = memory_alloc(ranks, sizeof *count, "rows for empty clusters");
    size_t *bytes = memory_alloc(ranks, sizeof *bytes, "rows for empty clusters");
    status st = comm_agree(c, count && bytes ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        count[comm_rank(c)] = mine->count;
        comm_sum_i64(c, count, ranks);
        all->count = 0;
        for (size_t r = 0; r < ranks; r++) {
            all->count += (int)count[r];
            bytes[r] = (size_t)count[r] * sizeof *all->from;
        }
        comm_gather(c, mine->from, bytes, all->from);
        for (size_t r = 0; r < ranks; r++)
            bytes[r] = (size_t)count[r] * (size_t)d * sizeof *all->row;
        comm_gather(c, mine->row, bytes, all->row);
    }
    memory_free(count);
    memory_free(bytes);
    return st;
}

/* The i-th mover becomes the i-th empty cluster. */
static void refill(const movers *m, int k, int d, kmeans_sum_block *s) {
    for (int a = 0, i = 0; a < k && i < m->count; a++) {
        if (s->count[a] != 0) continue;
        size_t from = (size_t)m->from[i];
        kmeans_move(m->row + (size_t)i * (size_t)d, d, s->scale, s->sum + from * (size_t)d,
            s->sum + (size_t)a * (size_t)d);
        s->count[from]--;
        s->count[a]++;
        i++;
    }
}

static status repair(const comm *c, int k, const features *x, const uint16_t *label,
    const float *distance, kmeans_sum_block *s, int empty, int *repaired) {
    movers mine = {0}, all = {0};
    farthest far = {0};
    int64_t want = empty;
    status st = farthest_find(c, distance, NULL, x->n, 1, &want, &far);
    if (st != STATUS_OK) return st;
    st = movers_create(&mine, empty, x->d);
    if (st == STATUS_OK) st = movers_create(&all, empty, x->d);
    st = comm_agree(c, st);
    if (st == STATUS_OK) {
        collect(x, label, distance, &far, &mine);
        st = gather(c, &mine, x->d, &all);
    }
    if (st == STATUS_OK) {
        refill(&all, k, x->d, s);
        *repaired = all.count;
    }
    movers_destroy(&mine);
    movers_destroy(&all);
    farthest_destroy(&far);
    return st;
}

status kmeans_update(const comm *c, const kmeans_options *o, const features *x,
    const uint16_t *label, const float *distance, kmeans_sum_block *s, float *centroids,
    int *repaired) {
    memset(s->block, 0, s->words * sizeof *s->block);
    status st = comm_agree(c, kmeans_sums(x, label, o->k, s->scale, o->threads, s->sum, s->count));
    if (st != STATUS_OK) return st;
    comm_sum_i64(c, s->block, s->words);
    int empty = 0;
    for (int a = 0; a < o->k; a++) empty += s->count[a] == 0;
    *repaired = 0;
    if (empty > 0) st = repair(c, o->k, x, label, distance, s, empty, repaired);
    if (st == STATUS_OK)
        kmeans_centroids(s->sum, s->count, o->k, x->d, s->scale, o->cosine, centroids);
    return st;
}
