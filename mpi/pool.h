/* The pool of embeddings that all ranks compare their anchors with. */
#ifndef AUXSEG_MPI_POOL_H
#define AUXSEG_MPI_POOL_H

#include "mpi/comm.h"
#include "src/contrast/loss.h"

/* Contrastive loss of the global pool and the gradient of this rank's rows (src/contrast/loss.h):
 * ranks gather embeddings (DTYPE_BF16: as bf16), labels, then (N, Q, |P|). Collective; empty ranks
 * are legal. mine: this rank's rows, unit rows, whose partners are among themselves, by their index
 * here; the pool is rank 0's rows, rank 1's, ... gradient [mine->n, D] is written; *stats is the
 * same on every rank.
 * The same bits for any number of ranks that hold the same rows in the same order. */
status pool_loss(const comm *c, const contrast_options *o, const contrast_pool *mine,
    contrast_stats *stats, float *gradient);

#endif
