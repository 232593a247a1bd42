#include "mpi/pool.h"

#include "src/base/bf16.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <string.h>

/* The global pool, gathered: owned. */
typedef struct gathered {
    size_t n, first; /* rows of all ranks; this rank's first */
    size_t *local;   /* [size]: rows of each rank */
    size_t *bytes;   /* [size], scratch of gathers */
    float *z;
    uint16_t *half, *own_half; /* bf16: the embeddings on their way; or NULL */
    int32_t *label, *image, *partner;
    contrast_row *row;
    int32_t *own_partner; /* [local], as indices of the pool */
    contrast_row *own_row;
} gathered;

static void gathered_destroy(gathered *g) {
    memory_free(g->local);
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

static status count_rows(const comm *c, gathered *g, size_t local) {
    size_t size = (size_t)comm_size(c);
    g->local = memory_alloc(size, sizeof *g->local, "sizes of the pool");
    g->bytes = memory_alloc(size, sizeof *g->bytes, "sizes of the pool");
    status s = comm_agree(c, g->local && g->bytes ? STATUS_OK : STATUS_FAILED);
    if (s) return s;
    for (size_t r = 0; r < size; r++) g->bytes[r] = sizeof local;
    comm_gather(c, &local, g->bytes, g->local);
    for (size_t r = 0; r < size; r++) {
        if (r < (size_t)comm_rank(c)) g->first += g->local[r];
        g->n += g->local[r];
    }
    return STATUS_OK;
}

static status allocate(gathered *g, size_t local, int d) {
    if (g->n > INT32_MAX / 2) {
        log_error("contrastive pool: %zu rows are too many", g->n);
        return STATUS_USAGE;
    }
    g->z = memory_alloc(g->n * (size_t)d, sizeof *g->z, "pool of embeddings");
    g->label = memory_alloc(g->n, sizeof *g->label, "labels of the pool");
    g->image = memory_alloc(g->n, sizeof *g->image, "images of the pool");
    g->partner = memory_alloc(g->n, sizeof *g->partner, "partners of the pool");
    g->row = memory_alloc(g->n, sizeof *g->row, "sums of the pool");
    g->own_partner = memory_alloc(local, sizeof *g->own_partner, "partners of the pool");
    g->own_row = memory_alloc(local, sizeof *g->own_row, "sums of the pool");
    bool all = g->z && g->label && g->image && g->partner && g->row && g->own_partner && g->own_row;
    return all ? STATUS_OK : STATUS_FAILED;
}

/* Every rank's rows of `size` bytes. */
static void gather(const comm *c, gathered *g, const void *mine, size_t size, void *all) {
    for (int r = 0; r < comm_size(c); r++) g->bytes[r] = g->local[r] * size;
    comm_gather(c, mine, g->bytes, all);
}

/* Rounded to bf16 before they are sent: half the bytes, and the loss would round them anyhow. */
static status gather_rounded(const comm *c, gathered *g, size_t local, size_t d, const float *z) {
    g->half = memory_alloc(g->n * d, sizeof *g->half, "pool of embeddings");
    g->own_half = memory_alloc(local * d, sizeof *g->own_half, "pool of embeddings");
    status s = comm_agree(c, g->half && g->own_half ? STATUS_OK : STATUS_FAILED);
    if (s) return s;
    for (size_t i = 0; i < local * d; i++) g->own_half[i] = bf16_from_float(z[i]);
    gather(c, g, g->own_half, d * sizeof *g->half, g->half);
    for (size_t i = 0; i < g->n * d; i++) g->z[i] = bf16_to_float(g->half[i]);
    memory_free(g->half);
    memory_free(g->own_half);
    g->half = g->own_half = NULL;
    return STATUS_OK;
}

status pool_loss(const comm *c, const contrast_options *o, size_t local, int d, const float *z,
    const int32_t *label, const int32_t *image, const int32_t *partner, contrast_stats *stats,
    float *gradient) {
    gathered g = {0};
    comm_same(c, "dimension of embeddings", (uint64_t)d);
    status s = count_rows(c, &g, local);
    if (s) goto done;
    s = comm_agree(c, allocate(&g, local, d));
    if (s) goto done;
    for (size_t i = 0; i < local; i++) {
        assert(partner[i] < 0 || (size_t)partner[i] < local);
        g.own_partner[i] = partner[i] < 0 ? -1 : partner[i] + (int32_t)g.first;
    }
    if (o->type == DTYPE_BF16)
        s = gather_rounded(c, &g, local, (size_t)d, z);
    else
        gather(c, &g, z, (size_t)d * sizeof *z, g.z);
    if (s) goto done;
    gather(c, &g, label, sizeof *label, g.label);
    gather(c, &g, image, sizeof *image, g.image);
    gather(c, &g, g.own_partner, sizeof *g.own_partner, g.partner);
    contrast_pool pool = {g.n, d, g.z, g.label, g.image, g.partner};
    s = comm_agree(c, contrast_rows(o, &pool, g.first, local, g.own_row));
    if (s) goto done;
    gather(c, &g, g.own_row, sizeof *g.own_row, g.row);
    s = comm_agree(c, contrast_gradient(o, &pool, g.row, g.first, local, gradient));
    if (s) goto done;
    *stats = contrast_total(&pool, g.row);
done:
    gathered_destroy(&g);
    return s;
}
