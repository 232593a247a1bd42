/* New centroids from labels. For kmeans_run alone. */
#ifndef AUXSEG_MPI_KMEANS_UPDATE_H
#define AUXSEG_MPI_KMEANS_UPDATE_H

#include "mpi/exact_sum.h"
#include "mpi/kmeans.h"

/* Sums of the rows of every cluster, which follow the labels from one iteration to the next. */
typedef struct kmeans_sum_block {
    kmeans_sum_total own; /* of this rank's rows */
    uint16_t *summed;     /* [n]: the labels that `own` knows */
    int64_t *row;         /* [K, D + 1]: sums and counts on their way to those of all ranks */
    float *made;          /* [K, D + KMEANS_MADE]: by whoever has a cluster's sums, for all */
    double squares;       /* sum |x|^2 of all ranks' rows */
    exact_sums *exchange; /* NULL: one rank */
    /* Of every rank's rows, after kmeans_exchange: */
    int64_t *count;   /* [K] */
    float *next;      /* [K, D]: centroids */
    double objective; /* under the centroids of the labels */
    int repaired;     /* empty clusters that got a row, in the last update */
} kmeans_sum_block;

/* largest: |element| of all ranks' rows; square [n]: |x|^2 of this rank's (features_check), read in
 * this call alone. Collective. */
status kmeans_sum_block_create(const comm *c, const kmeans_options *o, const features *x,
    double largest, const double *square, kmeans_sum_block *out);
/* Collective. */
void kmeans_sum_block_destroy(kmeans_sum_block *s);

/* Brings the sums to label [n], of this rank's rows, every row labelled, which were found for
 * centroids [K, D]. Returns the seconds of the exchange between ranks, in which
 * each makes the centroids of its part; one rank: 0. Collective. */
double kmeans_exchange(const comm *c, const kmeans_options *o, const features *x,
    const uint16_t *label, const float *centroids, kmeans_sum_block *s);

/* centroids [K, D], for which the labels of the kmeans_exchange before were found, become the means
 * of their rows; empty clusters get the farthest rows. distance [n] is scratch. Collective. */
status kmeans_update(const comm *c, const kmeans_options *o, const features *x, float *distance,
    kmeans_sum_block *s, float *centroids);

#endif
