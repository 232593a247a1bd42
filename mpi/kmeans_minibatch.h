/* Mini-batch k-means (Sculley 2010): centroids follow a few rows at a time. For kmeans_run alone.
 */
#ifndef AUXSEG_MPI_KMEANS_MINIBATCH_H
#define AUXSEG_MPI_KMEANS_MINIBATCH_H

#include "mpi/kmeans.h"

typedef struct minibatch {
    features rows;   /* [batch]: this rank's rows of a batch come first */
    int64_t *chosen; /* [batch]: which */
    uint16_t *label; /* [batch], as `summed` */
    uint16_t *summed;
    float *distance;        /* [batch] */
    kmeans_sum_total total; /* of a batch */
    int64_t *count;         /* [K]: rows that each centroid has taken since the start */
} minibatch;

/* largest: |element| of all ranks' rows. Not collective. Safe to destroy after any status. */
status minibatch_create(minibatch *m, const kmeans_options *o, int d, double largest);
void minibatch_destroy(minibatch *m);

/* One batch: o->batch rows of all ranks, drawn with replacement by (seed, restart, it->iteration),
 * are assigned to centroids [K, D]; then each centroid is the mean of all rows it has taken so far,
 * N c + S over N + n (Sculley's steps of length 1/N, taken together), of length 1 if cosine. Exact
 * sums: the same bits for any number of ranks and threads. it: the batch's figures; the objective
 * is scaled to all rows. Collective. */
status minibatch_step(minibatch *m, const comm *c, const kmeans_options *o, const features *x,
    float *centroids, kmeans_iteration *it);

#endif
