/* The queue's memory and who writes which part of it. No step sends a row: the pool of a step is on
 * every node when its loss is computed, and each node takes from it what the others take. What is
 * sent is a queue that one rank has read from a checkpoint, once. */
#include "mpi/pool_queue.h"

#include "src/base/log.h"
#include "src/base/memory.h"

/* Positions in the pool are 32 bits, and the queue is a part of it. Collective. */
static status check_size(const comm *c, const pixel_queue *rings) {
    if (pixel_queue_rows(rings) <= INT32_MAX / 4) return STATUS_OK;
    if (comm_root(c))
        log_error("contrastive pool: %d labels of %d earlier pixels are too many: "
                  "pretrain.pixel_queue bounds them",
            rings->labels, rings->each);
    return STATUS_USAGE;
}

status pool_queue_create(pool_queue **out, const comm *c, int labels, int each, int d) {
    pool_queue *q = memory_alloc(1, sizeof *q, "queue of pixels");
    status st = comm_agree(c, q ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        q->rings = (pixel_queue){.labels = labels, .each = each, .d = d};
        st = check_size(c, &q->rings);
    }
    if (st == STATUS_OK) st = node_create(&q->node, c);
    if (st == STATUS_OK) st = node_reserve(q->node, pixel_queue_place(&q->rings, NULL));
    if (st != STATUS_OK) {
        pool_queue_destroy(q);
        return st;
    }
    pixel_queue_place(&q->rings, q->node->memory);
    if (node_rank(q->node) == 0) pixel_queue_clear(&q->rings);
    node_meet(q->node);
    *out = q;
    return STATUS_OK;
}

void pool_queue_destroy(pool_queue *q) {
    if (!q) return;
    node_destroy(q->node);
    memory_free(q);
}

/* Rank 0 is the first leader. */
void pool_queue_share(pool_queue *q) {
    pixel_queue *r = &q->rings;
    size_t rows = pixel_queue_rows(r);
    node_meet(q->node);
    if (q->node->leaders) {
        comm_broadcast(q->node->leaders, r->z, rows * (size_t)r->d * sizeof *r->z);
        comm_broadcast(q->node->leaders, r->image, rows * sizeof *r->image);
        comm_broadcast(q->node->leaders, r->next, (size_t)r->labels * sizeof *r->next);
    }
    node_meet(q->node);
}

/* Each rank fills rings of its own. */
void pool_queue_put(pool_queue *q, const contrast_pool *p) {
    pixel_queue_put(&q->rings, p, node_rank(q->node), node_size(q->node));
    node_meet(q->node);
}
