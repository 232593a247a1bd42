/* The pool of embeddings that all ranks compare their anchors with. */
#ifndef AUXSEG_MPI_POOL_H
#define AUXSEG_MPI_POOL_H

#include "mpi/comm.h"
#include "mpi/pool_queue.h"
#include "src/contrast/loss.h"

/* What is kept from step to step: the memory of the pool, of which a node's ranks hold one copy
 * (mpi/node.h). */
typedef struct pool_exchange pool_exchange;

/* c and queue are borrowed for its life; queue NULL: a step's rows are compared with each other
 * alone. Collective. */
status pool_exchange_create(pool_exchange **out, const comm *c, pool_queue *queue);
/* Collective. NULL-safe. */
void pool_exchange_destroy(pool_exchange *e);

/* Contrastive loss of the global pool and the gradient of this rank's rows (src/contrast/loss.h):
 * ranks gather embeddings (DTYPE_BF16: as bf16), labels, then (N, Q, |P|). Collective; empty ranks
 * are legal. mine: this rank's rows, unit rows, whose partners are among themselves, by their index
 * here; the pool is rank 0's rows, rank 1's, ... gradient [mine->n, D] is written; *stats is the
 * same on every rank. Rows of the queue are a part of the pool, but no anchors, and have no
 * gradient. The same bits for any number of ranks and nodes that hold the same rows in the same
 * order. */
status pool_loss(pool_exchange *e, const contrast_options *o, const contrast_pool *mine,
    contrast_stats *stats, float *gradient);
/* The rows of the last pool_loss, of all ranks, into the queue; once a step, however often its loss
 * was computed. Nothing without a queue. Collective. */
void pool_keep(pool_exchange *e);

#endif
