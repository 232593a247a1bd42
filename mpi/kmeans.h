/* Distributed k-means over every row of every rank; exact, the same bits for any number of ranks
 * and threads. */
#ifndef AUXSEG_MPI_KMEANS_H
#define AUXSEG_MPI_KMEANS_H

#include "mpi/comm.h"
#include "src/label/kmeans_options.h"

/* One iteration's figures, for metrics.csv; the same on every rank but for the seconds, and for
 * `visited` and `arithmetic`, which are each rank's own. Iteration 0
 * is the assignment to the initial centroids; an iteration is an update and an assignment. */
typedef struct kmeans_iteration {
    int restart, iteration, repaired; /* empty clusters that got a row */
    double objective, imbalance;      /* sum of squared distances; K * sum (n_c / n)^2, 1 is even */
    int64_t rows, changed, kept; /* rows assigned, of them with another label than before (-1: not
                                    known), centroids that no screen excluded, over rows */
    double assign_seconds, update_seconds; /* products and decisions; sums, exchange, means */
    double exchange_seconds;               /* part of the latter: sums between ranks, and what each
                                             makes of its part; one rank: 0 */
    double assign_processor;               /* as assign_seconds, of all threads' processor time */
    double visited;                        /* share of its n K products that a rank computed */
    const char *arithmetic;                /* of its products: "f32" | "bf16" | "int8" */
    const kmeans_state *state; /* to continue from, valid during the report; the same on every
                                  rank */
} kmeans_iteration;

typedef struct kmeans_result {
    float *centroids;                    /* [K, D], owned by the caller: memory_free */
    uint16_t *label;                     /* [local rows], outliers LABEL_NONE (65535), owned */
    double objective, outlier_threshold; /* squared distance from which on rows are outliers; of
                                            those at it the first by image and pixel, as many as
                                            the share asks for (global scope; infinity: none),
                                            else NaN */
    int iterations;
    float *distance; /* [local rows], squared, of each row to the centroid of the label that it had
                        before outliers were marked; owned */
} kmeans_result;

/* Lloyd's iterations from one or several starts, of which the one with the least objective is kept
 * (the first of equal ones). Labels belong to the centroids that are returned.
 *
 * An iteration's objective comes from the exact sums (kmeans_take); that of a restart, by
 * which they are compared, is the sum of the rows' distances as float32 numbers, in 128-bit fixed
 * point: the order of rows does not matter. An empty cluster is given the row that is farthest from
 * its centroid (several: the farthest ones, in the order of image and pixel), which leaves its own
 * cluster; rows at their centroid (but for rounding) stay, so that with fewer distinct rows than K
 * some clusters stay empty. Spherical (cosine): rows of length 1 are expected; centroids get length
 * 1 after every update, and those of `start` before the first assignment, unless they have it.
 *
 * Mini-batch: o->iterations batches (mpi/kmeans_minibatch.h), then one pass over all rows, which is
 * the last iteration that is reported. Labels are exact, centroids are not their clusters' means:
 * an approximation. No cluster is repaired, tolerance has no effect.
 *
 * Collective. x: this rank's rows, placed (mpi/features_place.h). start: [K, D] initial centroids
 * instead of init, the same on every rank, or NULL. report (may be NULL) is called on every rank
 * after each iteration; a nonzero return of any stops all early with that status. A run that
 * continues from a reported state ends in the same bits as one that was never stopped, with any
 * number of ranks; its first report is of the iteration after.
 * STATUS_NONFINITE names image and pixel of a feature that is not finite, or beyond 2^50;
 * STATUS_USAGE when there are fewer rows than K, or D is beyond 65536; STATUS_FAILED where a rank
 * has computed other centroids than the others, who are named. On failure *out is not touched. */
status kmeans_run(const comm *c, const kmeans_options *o, const features *x, const float *start,
    status (*report)(void *context, const kmeans_iteration *it), void *context, kmeans_result *out);

#endif
