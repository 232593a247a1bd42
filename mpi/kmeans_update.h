/* New centroids from labels. For kmeans_run alone. */
#ifndef AUXSEG_MPI_KMEANS_UPDATE_H
#define AUXSEG_MPI_KMEANS_UPDATE_H

#include "mpi/kmeans.h"

/* What an update works with: allocated once. */
typedef struct kmeans_sum_block {
    int64_t *block, *sum, *count; /* one block: [K, D] and [K] */
    size_t words;
    int scale;
} kmeans_sum_block;

/* rows: of all ranks; largest: |element| of all ranks. Not collective. */
status kmeans_sum_block_create(kmeans_sum_block *s, int k, int d, int64_t rows, double largest);
void kmeans_sum_block_destroy(kmeans_sum_block *s);

/* centroids [K, D]: the means of the labelled rows; empty clusters get the farthest rows, *repaired
 * of them. label, distance [n]: of this rank's rows, every row labelled. s->count [K] holds the
 * rows of each cluster afterwards. Collective. */
status kmeans_update(const comm *c, const kmeans_options *o, const features *x,
    const uint16_t *label, const float *distance, kmeans_sum_block *s, float *centroids,
    int *repaired);

#endif
