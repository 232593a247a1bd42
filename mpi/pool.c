/* The one exchange of the contrastive loss: every rank gets all embeddings, and then the two sums
 * that each anchor's gradient needs, so that a rank can finish its own rows alone. What is gathered
 * is in rank order, hence in the order of the batch: the loss adds in that order, whatever the
 * number of ranks. */
#include "mpi/pool.h"

#include "src/base/bf16.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>

/* The global pool on its way: owned. */
typedef struct gathering {
    const comm *c;
    const contrast_pool *mine;
    size_t n, first; /* rows of all ranks; this rank's first */
    size_t *rows;    /* [size]: of each rank */
    size_t *bytes;   /* [size]: of each rank, in the gather under way */
    float *z;
    uint16_t *half, *own_half; /* bf16: the embeddings on their way; or NULL */
    int32_t *label, *image, *partner;
    contrast_row *row;
    int32_t *own_partner; /* [mine->n], as indices of the pool */
    contrast_row *own_row;
} gathering;

/* Also of one that was made half. */
static void gathering_destroy(gathering *g) {
    memory_free(g->rows);
    memory_free(g->bytes);
    memory_free(g->z);
    memory_free(g->half);
    memory_free(g->own_half);
    memory_free(g->label);
    memory_free(g->image);
    memory_free(g->partner);
    memory_free(g->row);
    memory_free(g->own_partner);
    memory_free(g->own_row);
}

/* Ranks have different numbers of rows: labels decide how many pixels a view gives. Collective. */
static status count_rows(gathering *g) {
    size_t size = (size_t)comm_size(g->c);
    g->rows = memory_alloc(size, sizeof *g->rows, "sizes of the pool");
    g->bytes = memory_alloc(size, sizeof *g->bytes, "sizes of the pool");
    status st = comm_agree(g->c, g->rows && g->bytes ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) return st;
    for (size_t r = 0; r < size; r++) g->bytes[r] = sizeof g->mine->n;
    comm_gather(g->c, &g->mine->n, g->bytes, g->rows);
    for (size_t r = 0; r < size; r++) {
        if (r < (size_t)comm_rank(g->c)) g->first += g->rows[r];
        g->n += g->rows[r];
    }
    return STATUS_OK;
}

/* Arrays for the whole pool. Positions in it are 32 bits, with room for tiles beyond its end. */
static status allocate(gathering *g) {
    size_t local = g->mine->n;
    if (g->n > INT32_MAX / 2) {
        log_error("contrastive pool: %zu rows are too many", g->n);
        return STATUS_USAGE;
    }
    g->z = memory_alloc(g->n * (size_t)g->mine->d, sizeof *g->z, "pool of embeddings");
    g->label = memory_alloc(g->n, sizeof *g->label, "labels of the pool");
    g->image = memory_alloc(g->n, sizeof *g->image, "images of the pool");
    g->partner = memory_alloc(g->n, sizeof *g->partner, "partners of the pool");
    g->row = memory_alloc(g->n, sizeof *g->row, "sums of the pool");
    g->own_partner = memory_alloc(local, sizeof *g->own_partner, "partners of the pool");
    g->own_row = memory_alloc(local, sizeof *g->own_row, "sums of the pool");
    bool all = g->z && g->label && g->image && g->partner && g->row && g->own_partner && g->own_row;
    return all ? STATUS_OK : STATUS_FAILED;
}

/* Every rank's rows of `size` bytes. Collective. */
static void gather(gathering *g, const void *mine, size_t size, void *all) {
    for (int r = 0; r < comm_size(g->c); r++) g->bytes[r] = g->rows[r] * size;
    comm_gather(g->c, mine, g->bytes, all);
}

/* Rounded to bf16 before they are sent: half the bytes, and the loss would round them anyhow.
 * Collective. */
static status gather_rounded(gathering *g) {
    size_t d = (size_t)g->mine->d, own = g->mine->n * d, all = g->n * d;
    g->half = memory_alloc(all, sizeof *g->half, "pool of embeddings");
    g->own_half = memory_alloc(own, sizeof *g->own_half, "pool of embeddings");
    status st = comm_agree(g->c, g->half && g->own_half ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) return st;
    for (size_t i = 0; i < own; i++) g->own_half[i] = bf16_from_float(g->mine->z[i]);
    gather(g, g->own_half, d * sizeof *g->half, g->half);
    for (size_t i = 0; i < all; i++) g->z[i] = bf16_to_float(g->half[i]);
    memory_free(g->half);
    memory_free(g->own_half);
    g->half = g->own_half = NULL;
    return STATUS_OK;
}

/* Embeddings, labels, images and partners of all ranks. Collective. */
static status gather_rows(gathering *g, dtype type) {
    const contrast_pool *p = g->mine;
    for (size_t i = 0; i < p->n; i++) {
        assert(p->partner[i] < 0 || (size_t)p->partner[i] < p->n);
        g->own_partner[i] = p->partner[i] < 0 ? -1 : p->partner[i] + (int32_t)g->first;
    }
    if (type == DTYPE_BF16) {
        status st = gather_rounded(g);
        if (st != STATUS_OK) return st;
    } else {
        gather(g, p->z, (size_t)p->d * sizeof *p->z, g->z);
    }
    gather(g, p->label, sizeof *p->label, g->label);
    gather(g, p->image, sizeof *p->image, g->image);
    gather(g, g->own_partner, sizeof *g->own_partner, g->partner);
    return STATUS_OK;
}

/* Two exchanges: rows, then what passes 1 and 2 have left of them. The mean needs all of the
 * second. */
status pool_loss(const comm *c, const contrast_options *o, const contrast_pool *mine,
    contrast_stats *stats, float *gradient) {
    gathering g = {.c = c, .mine = mine};
    comm_same(c, "dimension of embeddings", (uint64_t)mine->d);
    status st = count_rows(&g);
    if (st == STATUS_OK) st = comm_agree(c, allocate(&g));
    if (st == STATUS_OK) st = gather_rows(&g, o->type);
    const contrast_pool pool = {g.n, mine->d, g.z, g.label, g.image, g.partner};
    if (st == STATUS_OK) st = comm_agree(c, contrast_rows(o, &pool, g.first, mine->n, g.own_row));
    if (st != STATUS_OK) goto done;
    gather(&g, g.own_row, sizeof *g.own_row, g.row);
    st = comm_agree(c, contrast_gradient(o, &pool, g.row, g.first, mine->n, gradient));
    if (st == STATUS_OK) *stats = contrast_total(&pool, g.row);
done:
    gathering_destroy(&g);
    return st;
}
