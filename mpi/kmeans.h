/* Distributed k-means over every row of every rank; exact, the same bits for any number of ranks
 * and threads. */
#ifndef AUXSEG_MPI_KMEANS_H
#define AUXSEG_MPI_KMEANS_H

#include "mpi/comm.h"
#include "src/label/kmeans.h"

typedef enum kmeans_init {
    KMEANS_PLUSPLUS,
    KMEANS_RANDOM
} kmeans_init; /* both on a sample keyed by (seed, restart, image) */
typedef enum outlier_scope { OUTLIERS_GLOBAL, OUTLIERS_CLUSTER } outlier_scope;

typedef struct kmeans_options {
    int k, iterations, restarts, threads;
    int cosine;
    double tolerance; /* stop when the objective falls by less than this share */
    kmeans_init init;
    int sample; /* rows of the sample for the start, over all ranks */
    uint64_t seed;
    double outliers; /* share, 0 .. 0.5 */
    outlier_scope scope;
} kmeans_options;

/* One iteration's figures, for metrics.csv; the same on every rank. */
typedef struct kmeans_iteration {
    int restart, iteration, repaired; /* empty clusters repaired */
    double objective, imbalance;      /* sum of squared distances; K * sum (n_c / n)^2, 1 is even */
    int64_t changed, kept;
    double assign_seconds, update_seconds;
} kmeans_iteration;

typedef struct kmeans_result {
    float *centroids;                    /* [K, D], owned by the caller: memory_free */
    uint16_t *label;                     /* [local rows], outliers 65535, owned */
    double objective, outlier_threshold; /* squared distance beyond which a row is an outlier
                                            (global scope), else NaN */
    int iterations;
} kmeans_result;

/* Collective. x: this rank's rows, whole images, in image order, ranks in order; image [images] of
 * this rank: rows of each; first: global index of its first image. start: [K, D] initial centroids
 * instead of init, or NULL. report (may be NULL) is called on every rank after each iteration; a
 * nonzero return stops early with that status. STATUS_NONFINITE names image and pixel; STATUS_USAGE
 * when there are fewer rows than K. */
status kmeans_run(const comm *c, const kmeans_options *o, const features *x, const int64_t *image,
    int64_t images, int64_t first, const float *start,
    status (*report)(void *context, const kmeans_iteration *it), void *context, kmeans_result *out);

#endif
