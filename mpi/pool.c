/* The one exchange of the contrastive loss: every rank gets all embeddings, and then the two sums
 * that each anchor's gradient needs, so that a rank can finish its own rows alone. What is gathered
 * is in rank order, hence in the order of the batch: the loss adds in that order, whatever the
 * number of ranks.
 *
 * A node holds the pool once, gathered and sorted, in memory that its ranks share: each writes its
 * own rows there, the nodes' leaders gather the rest, each sorts all of it and packs a part. What a
 * rank has of its own is the order of the pool, some 36 bytes a row, and 24 more while it sorts.
 *
 * Earlier pixels of a queue stand behind the step's rows. Nothing is added to the loss for them: a
 * row that was no anchor, as its entry in `row` says, pulls at nothing, and nobody asks for its
 * gradient. */
#include "mpi/pool.h"

#include "mpi/node.h"
#include "src/base/bf16.h"
#include "src/base/carve.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/contrast/tiles.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct pool_exchange {
    const comm *c;
    node *node;
    pool_queue *queue;  /* borrowed, or NULL */
    contrast_pool last; /* the step's rows of all ranks, for pool_keep */
    size_t *rows;       /* [ranks]: of each */
    size_t *bytes;      /* [ranks]: of each, in the gather under way */
};

/* The global pool of a step: all of it in the node's memory. */
typedef struct gathering {
    pool_exchange *e;
    const contrast_pool *mine;
    const contrast_options *o;
    size_t now, first; /* rows of the step, of all ranks; this rank's first */
    size_t n;          /* with those of the queue, which stand behind them */
    float *z;          /* [n, D] */
    uint16_t *half;    /* bf16: [now, D], as they are sent */
    int32_t *label, *image, *partner;
    contrast_row *row;
    tiles tiles; /* rows and panels there, too */
} gathering;

status pool_exchange_create(pool_exchange **out, const comm *c, pool_queue *queue) {
    size_t ranks = (size_t)comm_size(c);
    pool_exchange *e = memory_alloc(1, sizeof *e, "pool");
    if (e) {
        e->c = c;
        e->queue = queue;
        e->rows = memory_alloc(ranks, sizeof *e->rows, "sizes of the pool");
        e->bytes = memory_alloc(ranks, sizeof *e->bytes, "sizes of the pool");
    }
    status st = comm_agree(c, e && e->rows && e->bytes ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = node_create(&e->node, c);
    if (st != STATUS_OK) {
        pool_exchange_destroy(e);
        return st;
    }
    *out = e;
    return STATUS_OK;
}

void pool_exchange_destroy(pool_exchange *e) {
    if (!e) return;
    node_destroy(e->node);
    memory_free(e->rows);
    memory_free(e->bytes);
    memory_free(e);
}

/* Ranks have different numbers of rows: labels decide how many pixels a view gives. Positions in
 * the pool are 32 bits, with room for tiles beyond its end. Collective. */
static status count_rows(gathering *g) {
    pool_exchange *e = g->e;
    int ranks = comm_size(e->c);
    for (int r = 0; r < ranks; r++) e->bytes[r] = sizeof g->mine->n;
    comm_gather(e->c, &g->mine->n, e->bytes, e->rows);
    for (int r = 0; r < ranks; r++) {
        if (r < comm_rank(e->c)) g->first += e->rows[r];
        g->now += e->rows[r];
    }
    g->n = g->now + (e->queue ? pixel_queue_rows(&e->queue->rings) : 0);
    if (g->n <= INT32_MAX / 2) return STATUS_OK;
    if (comm_root(e->c))
        log_error("contrastive pool: %zu rows are too many: pretrain.pool bounds it", g->n);
    return STATUS_USAGE;
}

static bool pairs(const gathering *g) {
    return g->o->type == DTYPE_BF16 && g->o->pairs;
}

/* Where things lie from `base` on; returns how many bytes they take. */
static size_t lay_out(gathering *g, char *base) {
    size_t used = 0, n = g->n, d = (size_t)g->mine->d;
    tiles_space space = tiles_space_of(n, g->mine->d, pairs(g));
    g->z = carve(base, &used, n * d * sizeof *g->z);
    if (g->o->type == DTYPE_BF16) g->half = carve(base, &used, g->now * d * sizeof *g->half);
    g->label = carve(base, &used, n * sizeof *g->label);
    g->image = carve(base, &used, n * sizeof *g->image);
    g->partner = carve(base, &used, n * sizeof *g->partner);
    g->row = carve(base, &used, n * sizeof *g->row);
    g->tiles.rows = carve(base, &used, space.rows * sizeof *g->tiles.rows);
    g->tiles.panels = carve(base, &used, space.panels * sizeof *g->tiles.panels);
    return used;
}

/* Every rank's rows of `size` bytes, which the group has written. Collective over the leaders. */
static void gather(const gathering *g, size_t size, void *all) {
    pool_exchange *e = g->e;
    for (int r = 0; r < comm_size(e->c); r++) e->bytes[r] = e->rows[r] * size;
    node_gather(e->node, e->bytes, all);
}

/* This rank's rows into the memory. In bf16 they are rounded before they are sent: half the bytes,
 * and the loss would round them anyhow. */
static void write_rows(const gathering *g) {
    const contrast_pool *p = g->mine;
    size_t d = (size_t)p->d, at = g->first * d;
    if (p->n == 0) return;
    for (size_t i = 0; i < p->n; i++) {
        assert(p->partner[i] < 0 || (size_t)p->partner[i] < p->n);
        g->partner[g->first + i] = p->partner[i] < 0 ? -1 : p->partner[i] + (int32_t)g->first;
    }
    memcpy(g->label + g->first, p->label, p->n * sizeof *p->label);
    memcpy(g->image + g->first, p->image, p->n * sizeof *p->image);
    if (g->half)
        for (size_t i = 0; i < p->n * d; i++) g->half[at + i] = bf16_from_float(p->z[i]);
    else
        memcpy(g->z + at, p->z, p->n * d * sizeof *p->z);
}

/* A part of the rows as floats. */
static void widen(const gathering *g) {
    const node *n = g->e->node;
    size_t all = g->now * (size_t)g->mine->d, parts = (size_t)node_size(n);
    size_t begin = all / parts * (size_t)node_rank(n), end = begin + all / parts;
    if (node_rank(n) == node_size(n) - 1) end = all;
    for (size_t i = begin; i < end; i++) g->z[i] = bf16_to_float(g->half[i]);
}

/* The queue's rows behind the step's, by the node's ranks. That they were no anchors is written
 * anew in each step, as the memory may be another one. */
static void write_queue(const gathering *g) {
    const node *n = g->e->node;
    size_t now = g->now, rows = g->n - now;
    if (rows == 0) return;
    const queue_rows to = {
        g->z + now * (size_t)g->mine->d, g->label + now, g->image + now, g->partner + now};
    pixel_queue_list(&g->e->queue->rings, &to, node_rank(n), node_size(n));
    if (node_rank(n) > 0) return;
    for (size_t i = now; i < g->n; i++)
        g->row[i] = (contrast_row){.log_negatives = -INFINITY, .log_q = -INFINITY};
}

/* Embeddings, labels, images and partners of all ranks. Collective. */
static void gather_rows(const gathering *g) {
    const node *n = g->e->node;
    size_t d = (size_t)g->mine->d;
    write_rows(g);
    write_queue(g);
    node_meet(n);
    if (g->half)
        gather(g, d * sizeof *g->half, g->half);
    else
        gather(g, d * sizeof *g->z, g->z);
    gather(g, sizeof *g->label, g->label);
    gather(g, sizeof *g->image, g->image);
    gather(g, sizeof *g->partner, g->partner);
    node_meet(n);
    if (!g->half) return;
    widen(g);
    node_meet(n);
}

/* The sorted pool: each rank finds the order, and packs its part. Collective. */
static status sort_pool(gathering *g, const contrast_pool *pool) {
    const node *n = g->e->node;
    tiles sorted;
    status mine = tiles_index(&sorted, g->o, pool, pairs(g)), st = comm_agree(g->e->c, mine);
    if (st != STATUS_OK) {
        if (mine == STATUS_OK) tiles_destroy(&sorted);
        return st;
    }
    sorted.rows = g->tiles.rows;
    sorted.panels = g->tiles.panels;
    g->tiles = sorted;
    tiles_pack(&g->tiles, g->o, pool, node_rank(n), node_size(n));
    node_meet(n);
    return STATUS_OK;
}

/* What passes 1 and 2 leave of this rank's rows, then of all. Collective. */
static status compute_rows(const gathering *g) {
    status st = contrast_rows_of(g->o, &g->tiles, g->first, g->mine->n, g->row + g->first);
    st = comm_agree(g->e->c, st);
    if (st != STATUS_OK) return st;
    node_meet(g->e->node);
    gather(g, sizeof *g->row, g->row);
    node_meet(g->e->node);
    return STATUS_OK;
}

/* Two exchanges: rows, then what passes 1 and 2 have left of them. The mean needs all of the
 * second. No rank writes into the memory before all have read what they need: it has to be in the
 * agreement at the end. */
status pool_loss(pool_exchange *e, const contrast_options *o, const contrast_pool *mine,
    contrast_stats *stats, float *gradient) {
    gathering g = {.e = e, .mine = mine, .o = o};
    comm_same(e->c, "dimension of embeddings", (uint64_t)mine->d);
    status st = count_rows(&g);
    if (st == STATUS_OK) st = comm_agree(e->c, tiles_check(mine, g.first));
    if (st == STATUS_OK) st = node_reserve(e->node, lay_out(&g, NULL));
    if (st != STATUS_OK) return st;
    lay_out(&g, e->node->memory);
    gather_rows(&g);
    const contrast_pool pool = {g.n, mine->d, g.z, g.label, g.image, g.partner};
    st = sort_pool(&g, &pool);
    if (st != STATUS_OK) return st;
    st = compute_rows(&g);
    if (st == STATUS_OK) {
        contrast_stats total = contrast_total(&pool, g.row);
        st = contrast_gradient_of(o, &g.tiles, &pool, g.row, g.first, mine->n, gradient);
        st = comm_agree(e->c, st);
        if (st == STATUS_OK) *stats = total;
    }
    e->last = pool;
    e->last.n = g.now;
    tiles_destroy(&g.tiles);
    return st;
}

/* The pool stays as it is until all have read it. */
void pool_keep(pool_exchange *e) {
    if (!e->queue) return;
    pool_queue_put(e->queue, &e->last);
    node_meet(e->node);
}
