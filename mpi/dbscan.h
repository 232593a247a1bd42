/* DBSCAN on a sample of the rows of all ranks, extended to all of them: the same bits for any
 * number of ranks and threads. Pairs of the sample are dealt out to the ranks. */
#ifndef AUXSEG_MPI_DBSCAN_H
#define AUXSEG_MPI_DBSCAN_H

#include "mpi/comm.h"
#include "src/label/dbscan.h"
#include "src/label/kmeans.h"

typedef struct dbscan_options {
    double eps;                      /* Euclidean, also between unit rows; at most 2^50 */
    int min_points, threads, cosine; /* cosine: centroids get length 1 */
    int sample;                      /* rows of all ranks, at most */
    uint64_t seed;
} dbscan_options;

/* x: float32 rows, the same on every rank, as the results: label [n], the cluster or -1 (noise),
 * numbered by the first core point, and core [n], 1 for core points. What scikit-learn's DBSCAN
 * gives: a row within eps of core points of several clusters is of the first. Returns in *clusters
 * how many. Collective. On failure no output is touched. */
status dbscan_sample(const comm *c, const dbscan_options *o, const features *x, int32_t *label,
    uint8_t *core, int *clusters);

typedef struct dbscan_result {
    int k;
    float *centroids; /* [K, D]: the mean of each cluster's core points, owned: memory_free */
    uint16_t *label;  /* [local rows], of the nearest core point of the sample (several: the first)
                         within eps, else LABEL_NONE; owned */
    float *distance;  /* [local rows], squared, to the label's centroid; LABEL_NONE: 0; owned */
    double objective; /* the sum of all rows' distances */
    int64_t sample, core, noise; /* rows of the sample */
} dbscan_result;

/* Collective. x: this rank's rows, placed (mpi/features_place.h). The sample is keyed by (seed,
 * image).
 * STATUS_NONFINITE names image and pixel of a feature that is not finite, or beyond 2^50;
 * STATUS_USAGE, with a message, if there is no cluster, or more than 65534. On failure *out is not
 * touched. */
status dbscan_run(const comm *c, const dbscan_options *o, const features *x, dbscan_result *out);
void dbscan_result_destroy(dbscan_result *r);

#endif
