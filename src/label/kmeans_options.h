/* What a k-means run is asked to do (mpi/kmeans.h), and the memory that this takes. Not collective.
 */
#ifndef AUXSEG_LABEL_KMEANS_OPTIONS_H
#define AUXSEG_LABEL_KMEANS_OPTIONS_H

#include "src/label/kmeans.h"
#include "src/label/kmeans_state.h"

/* On a sample keyed by (seed, restart, image), but for k-means||, which takes all rows. */
typedef enum kmeans_init {
    KMEANS_PLUSPLUS,
    KMEANS_RANDOM,
    KMEANS_PARALLEL,
    KMEANS_HIERARCHICAL
} kmeans_init;

/* The farthest share of all rows, or of each cluster's. */
typedef enum outlier_scope { OUTLIERS_GLOBAL, OUTLIERS_CLUSTER } outlier_scope;

typedef struct kmeans_options {
    int k, iterations, restarts, threads;
    int cosine;
    kmeans_screen screen; /* how; the labels depend on neither */
    kmeans_arithmetic arithmetic;
    double tolerance; /* stop when the objective falls by less than this share; 0: when no label
                         changes; below 0: not before all iterations are done */
    kmeans_init init;
    int sample; /* rows of the sample for the start, over all ranks; at least K are taken */
    int sample_iterations; /* of k-means on the sample, after the start and before all rows */
    int branch_iterations; /* of the hierarchical start, within each branch */
    uint64_t seed;
    double outliers; /* share, 0 .. 0.5 */
    outlier_scope scope;
    int batch;                  /* mini-batch: rows of an iteration, over all ranks; 0: all rows */
    const kmeans_state *resume; /* continue after this iteration, the same on every rank; NULL:
                                   begin. Borrowed */
} kmeans_options;

/* Bytes that kmeans_run takes on a rank of n rows, at most, beside those rows. */
typedef struct kmeans_memory {
    size_t rows, centroids; /* what grows with n: labels, distances, screen, bounds; with K */
    size_t start;           /* while initial centroids are chosen */
} kmeans_memory;
kmeans_memory kmeans_needs(const kmeans_options *o, size_t n, int d);

#endif
