/* New centroids from labels. For kmeans_run alone. */
#ifndef AUXSEG_MPI_KMEANS_UPDATE_H
#define AUXSEG_MPI_KMEANS_UPDATE_H

#include "mpi/exact_sum.h"
#include "mpi/kmeans.h"

/* Sums of the rows of every cluster, which follow the labels from one iteration to the next. */
typedef struct kmeans_sum_block {
    kmeans_sum_total own, all; /* of this rank's rows; of every rank's, after kmeans_exchange */
    uint16_t *summed;          /* [n]: the labels that `own` knows */
    size_t words;              /* K D + K: sums and counts lie behind each other */
    double squares;            /* sum |x|^2 of all ranks' rows */
    exact_sums *exchange;      /* NULL: one rank */
    int repaired;              /* empty clusters that got a row, in the last update */
} kmeans_sum_block;

/* largest: |element| of all ranks' rows; square [n]: |x|^2 of this rank's (features_check), read in
 * this call alone. Collective. */
status kmeans_sum_block_create(const comm *c, const kmeans_options *o, const features *x,
    double largest, const double *square, kmeans_sum_block *out);
/* Collective. */
void kmeans_sum_block_destroy(kmeans_sum_block *s);

/* Brings the sums to label [n], of this rank's rows, every row labelled. Returns the seconds of the
 * exchange between ranks. Collective. */
double kmeans_exchange(
    const comm *c, const features *x, const uint16_t *label, int threads, kmeans_sum_block *s);

/* centroids [K, D], for which the labels of the kmeans_exchange before were found, become the means
 * of their rows; empty clusters get the farthest rows. distance [n] is scratch. Collective. */
status kmeans_update(const comm *c, const kmeans_options *o, const features *x, float *distance,
    kmeans_sum_block *s, float *centroids);

#endif
