/* Checkpoints of the clustering between two iterations: centroids and figures, from which labels
 * follow (src/label/kmeans_state.h). Files and rules of io/weights/checkpoint.h; the step is the
 * number of passes. Independent of the number of ranks. */
#ifndef AUXSEG_IO_WEIGHTS_CLUSTER_CHECKPOINT_H
#define AUXSEG_IO_WEIGHTS_CLUSTER_CHECKPOINT_H

#include "mpi/comm.h"
#include "src/label/kmeans_state.h"

/* The tensor whose infinities say "none yet". */
#define CLUSTER_CHECKPOINT_OBJECTIVES "kmeans.objectives"

/* Collective; rank 0 writes folder/stage-PASSES.safetensors, then deletes all but the last two.
 * STATUS_NONFINITE, naming the tensor, for centroids that are not finite: nothing is written or
 * deleted. */
status cluster_checkpoint_save(
    const comm *c, const char *folder, const char *stage, uint64_t settings, const kmeans_state *s);
/* Collective: the newest whole one of this stage and these settings into *s, created with k and d;
 * *found false if there is none. The caller destroys *s if *found. */
status cluster_checkpoint_load(const comm *c, const char *folder, const char *stage,
    uint64_t settings, int k, int d, kmeans_state *s, bool *found);

#endif
