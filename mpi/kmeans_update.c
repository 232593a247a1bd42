/* From labels to centroids. Each rank's sums follow its labels; added over ranks, those of a
 * cluster are divided by one rank, which sends the centroid to all: half as long as its sums, which
 * nobody else needs. But for the rare update in which a cluster is empty: then all ranks get all
 * sums. A cluster that has lost all its rows gets a far one: which one is decided in the order of
 * image and pixel, so that any number of ranks repairs alike. */
#include "mpi/kmeans_update.h"

#include "mpi/outliers.h"
#include "mpi/traffic.h"
#include "src/base/memory.h"
#include "src/base/timer.h"

#include <math.h>
#include <string.h>

/* Of the sums, under way at once, at most. */
enum { PIECES = 8 };

/* 2^unit is one in the sum of |x|^2, which stays below 2^120. */
static int squares_unit(int d, int64_t rows, double largest) {
    int bits, exponent;
    frexp((double)rows, &bits);
    frexp((double)d * largest * largest, &exponent);
    /* Below 2^900, beyond which ldexp would leave the range of doubles on the way. */
    int unit = 119 - bits - exponent;
    return unit < 900 ? unit : 900;
}

/* sum |x|^2, the objective's constant: once a run. Collective. */
static void sum_squares(
    const comm *c, const double *square, size_t n, int threads, int unit, kmeans_sum_block *s) {
    sum128 sum = {{0}};
    kmeans_squares(square, n, unit, threads, &sum);
    comm_sum_i64(c, sum.part, sizeof sum.part / sizeof *sum.part);
    s->squares = ldexp((double)sum128_value(&sum), -unit);
}

/* Clusters of a piece of the exchange: the whole is in few pieces, of whole clusters. */
static int clusters_at_once(int k, int d) {
    size_t words = (size_t)d + 1, piece = exact_sums_piece((size_t)k * words, PIECES);
    return (int)((piece + words - 1) / words);
}

static bool take_memory(kmeans_sum_block *s, int k, const features *x) {
    size_t clusters = (size_t)k, d = (size_t)x->d;
    int64_t *own = memory_alloc(clusters * (d + 1), sizeof *own, "sums of centroids");
    s->row = memory_alloc(clusters * (d + 1), sizeof *s->row, "sums of centroids");
    s->made = memory_alloc(clusters * (d + KMEANS_MADE), sizeof *s->made, "new centroids");
    s->next = memory_alloc(clusters * d, sizeof *s->next, "new centroids");
    s->count = memory_alloc(clusters, sizeof *s->count, "sizes of clusters");
    s->summed = memory_alloc(x->n, sizeof *s->summed, "labels");
    if (own) s->own = (kmeans_sum_total){.sum = own, .count = own + clusters * d};
    return own && s->row && s->made && s->next && s->count && s->summed;
}

status kmeans_sum_block_create(const comm *c, const kmeans_options *o, const features *x,
    double largest, const double *square, kmeans_sum_block *out) {
    kmeans_sum_block s = {0};
    status st = comm_agree(c, take_memory(&s, o->k, x) ? STATUS_OK : STATUS_FAILED);
    s.own.scale = kmeans_scale(x->total, largest);
    int at_once = clusters_at_once(o->k, x->d), pieces = (o->k + at_once - 1) / at_once;
    if (st == STATUS_OK && comm_size(c) > 1)
        st = exact_sums_create_rows(&s.exchange, c, (size_t)at_once, x->d + 1, pieces, true);
    if (st == STATUS_OK) memset(s.summed, 0xFF, x->n * sizeof *s.summed); /* LABEL_NONE */
    if (st == STATUS_OK) {
        sum_squares(c, square, x->n, o->threads, squares_unit(x->d, x->total, largest), &s);
        *out = s;
    } else {
        kmeans_sum_block_destroy(&s);
    }
    return st;
}

/* Of zeros: nothing. */
void kmeans_sum_block_destroy(kmeans_sum_block *s) {
    memory_free(s->own.sum);
    memory_free(s->row);
    memory_free(s->made);
    memory_free(s->next);
    memory_free(s->count);
    memory_free(s->summed);
    exact_sums_destroy(s->exchange);
    *s = (kmeans_sum_block){0};
}

/* Clusters on their way, and what they become. */
typedef struct making {
    kmeans_sum_block *s;
    const float *centroids;
    kmeans_making how;
    int k, at_once;
} making;

static void make(const making *m, size_t first, size_t n) {
    size_t d = (size_t)m->how.d;
    kmeans_make(&m->how, m->s->row + first * (d + 1), (int)n, m->centroids + first * d,
        m->s->made + first * (d + KMEANS_MADE));
}

/* A piece of the sums, of which this rank has a part, or all. */
static void take(const making *m, const exact_sum_event *e) {
    size_t first = (size_t)e->id * (size_t)m->at_once, d = (size_t)m->how.d;
    size_t left = (size_t)m->k - first, n = left < (size_t)m->at_once ? left : (size_t)m->at_once;
    switch (e->state) {
    case EXACT_SUM_PART:
        make(m, first + e->begin, e->end - e->begin);
        traffic_add((e->end - e->begin) * (d + KMEANS_MADE) * sizeof *m->s->made);
        exact_sums_spread(m->s->exchange, e->id, m->s->made + first * (d + KMEANS_MADE));
        break;
    case EXACT_SUM_DONE:
        make(m, first, n);
        break;
    case EXACT_SUM_SPREAD:
        break;
    }
}

/* Pieces go one behind the other: one is added, or divided, while the next one travels. There is
 * room for all of them at once. */
static void exchange(const making *m) {
    exact_sum_event event[PIECES];
    exact_sums *sums = m->s->exchange;
    size_t words = (size_t)m->how.d + 1;
    int begun = 0, pieces = (m->k + m->at_once - 1) / m->at_once;
    traffic_add((size_t)m->k * words * sizeof *m->s->row);
    while (begun < pieces || exact_sums_flying(sums) > 0) {
        for (; begun < pieces; begun++) {
            int first = begun * m->at_once, left = m->k - first;
            exact_sums_begin_rows(sums, m->s->row + (size_t)first * words,
                (size_t)(left < m->at_once ? left : m->at_once), m->how.d + KMEANS_MADE, begun);
        }
        int n = exact_sums_test(sums, true, event);
        for (int i = 0; i < n; i++) take(m, &event[i]);
    }
}

/* This rank's sums stay as they are, for the next iteration to follow; a copy is added over ranks.
 */
double kmeans_exchange(const comm *c, const kmeans_options *o, const features *x,
    const uint16_t *label, const float *centroids, kmeans_sum_block *s) {
    const making m = {.s = s,
        .centroids = centroids,
        .how = {x->d, s->own.scale, o->cosine, o->threads},
        .k = o->k,
        .at_once = clusters_at_once(o->k, x->d)};
    kmeans_sums_follow(x, label, s->summed, o->threads, &s->own);
    kmeans_pack(&s->own, o->k, x->d, o->threads, s->row);
    double now = timer_now();
    if (comm_size(c) > 1)
        exchange(&m);
    else
        make(&m, 0, (size_t)o->k);
    double seconds = comm_size(c) > 1 ? timer_now() - now : 0;
    s->objective = kmeans_take(&m.how, s->made, o->k, s->squares, s->next, s->count);
    return seconds;
}

/* All sums to all ranks, where the next centroids are not of these alone. Collective. */
static kmeans_sum_total all_sums(
    const comm *c, const kmeans_options *o, int d, kmeans_sum_block *s) {
    kmeans_pack(&s->own, o->k, d, o->threads, s->row);
    if (comm_size(c) > 1) {
        traffic_add((size_t)o->k * (size_t)(d + 1) * sizeof *s->row);
        exact_sums_whole(s->exchange, s->row, (size_t)o->k);
    }
    kmeans_unpack(s->row, o->k, d, s->row, s->count);
    return (kmeans_sum_total){s->row, s->count, s->own.scale};
}

/* Rows that leave their clusters, of one rank or of all, in the order of image and pixel. */
typedef struct movers {
    float *row;    /* [count, D] */
    int32_t *from; /* [count]: cluster */
    int count;
} movers;

/* At most as many as clusters are empty: few rows. */
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

/* Nothing is gained by moving a row that lies at its centroid but for rounding; a spherical
 * centroid has length 1, so that a row in its direction is as far as its own length is from 1. */
static bool at_centroid(const float *row, int d, bool cosine, float distance) {
    double square = 0;
    for (int j = 0; j < d; j++) square += (double)row[j] * (double)row[j];
    double off = cosine ? sqrt(square) - 1 : 0;
    return (double)distance <= 0x1p-44 * square + (1 + 0x1p-20) * off * off;
}

/* This rank's rows among the `far` ones that are not at their centroid; m can hold all. */
static void collect(const features *x, const kmeans_sum_block *s, bool cosine,
    const float *distance, farthest *far, movers *m) {
    size_t d = (size_t)x->d;
    int most = m->count;
    m->count = 0;
    for (size_t i = 0; i < x->n && m->count < most; i++) {
        if (!farthest_next(far, distance[i], 0)) continue;
        float *to = m->row + (size_t)m->count * d;
        features_copy_row(x, i, to);
        if (!at_centroid(to, x->d, cosine, distance[i])) m->from[m->count++] = s->summed[i];
        features_release(x, i, 1);
    }
}

/* all: the movers of every rank, in their order, which is that of image and pixel; it can hold
 * them. Collective. */
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

/* The i-th mover becomes the i-th empty cluster. It leaves its old one exactly, so that counts and
 * sums stay those of all rows. */
static void refill(const movers *m, int k, int d, const kmeans_sum_total *s) {
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

/* The `empty` clusters without a row get the farthest rows of all; see kmeans_run. Collective. */
static status repair(const comm *c, const kmeans_options *o, const features *x,
    const float *distance, int empty, const float *centroids, kmeans_sum_block *s) {
    movers mine = {0}, all = {0};
    farthest far = {0};
    int64_t want = empty;
    status st = farthest_find(c, distance, NULL, x->n, 1, &want, &far);
    if (st != STATUS_OK) return st;
    st = movers_create(&mine, empty, x->d);
    if (st == STATUS_OK) st = movers_create(&all, empty, x->d);
    st = comm_agree(c, st);
    if (st == STATUS_OK) {
        collect(x, s, o->cosine, distance, &far, &mine);
        st = gather(c, &mine, x->d, &all);
    }
    if (st == STATUS_OK) {
        kmeans_sum_total sums = all_sums(c, o, x->d, s);
        refill(&all, o->k, x->d, &sums);
        s->repaired = all.count;
        /* One whose last row has left stays where it was: what was made of that row is no more. */
        memcpy(s->next, centroids, (size_t)o->k * (size_t)x->d * sizeof *s->next);
        kmeans_centroids(&sums, o->k, x->d, o->cosine, o->threads, s->next);
    }
    movers_destroy(&mine);
    movers_destroy(&all);
    farthest_destroy(&far);
    return st;
}

/* Distances are needed only where a cluster is empty, which is rare: they are computed then. */
status kmeans_update(const comm *c, const kmeans_options *o, const features *x, float *distance,
    kmeans_sum_block *s, float *centroids) {
    int empty = 0;
    status st = STATUS_OK;
    for (int a = 0; a < o->k; a++) empty += s->count[a] == 0;
    s->repaired = 0;
    if (empty > 0) {
        st = comm_agree(c, kmeans_distances(x, centroids, s->summed, o->threads, distance));
        if (st == STATUS_OK) st = repair(c, o, x, distance, empty, centroids, s);
    }
    size_t words = (size_t)o->k * (size_t)x->d;
    if (st == STATUS_OK) memcpy(centroids, s->next, words * sizeof *centroids);
    return st;
}
