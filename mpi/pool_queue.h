/* The queue of earlier pixels (src/contrast/pixel_queue.h) as the ranks have it: once a node, in
 * memory that the node's ranks share (mpi/node.h), the same on every node. */
#ifndef AUXSEG_MPI_POOL_QUEUE_H
#define AUXSEG_MPI_POOL_QUEUE_H

#include "mpi/node.h"
#include "src/contrast/pixel_queue.h"

typedef struct pool_queue {
    node *node; /* owned */
    pixel_queue rings;
} pool_queue;

/* Empty rings for labels below `labels`, `each` embeddings of d a label. c is borrowed for its
 * life. STATUS_USAGE with a message for more than a pool can have. Collective. */
status pool_queue_create(pool_queue **out, const comm *c, int labels, int each, int d);
/* Collective. NULL-safe. */
void pool_queue_destroy(pool_queue *q);
/* Rank 0's queue to all nodes, once it was read from a file. Collective. */
void pool_queue_share(pool_queue *q);
/* The step's rows p, which every rank has in the same order, into the rings. Collective over the
 * node. */
void pool_queue_put(pool_queue *q, const contrast_pool *p);

#endif
