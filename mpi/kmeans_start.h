/* Where k-means starts. For kmeans_run alone. */
#ifndef AUXSEG_MPI_KMEANS_START_H
#define AUXSEG_MPI_KMEANS_START_H

#include "mpi/kmeans.h"

/* A rank's rows and where they lie among all. */
typedef struct kmeans_rows {
    const features *x;
    const int64_t *image; /* [images]: rows of each */
    int64_t images, first;
    int64_t before, total; /* rows of the ranks before this one; of all ranks */
} kmeans_rows;

/* centroids [K, D]: chosen on a sample of o->sample rows that every rank gets, keyed by (seed,
 * restart, image). The same on every rank and for any number of ranks and threads. Collective. */
status kmeans_start(
    const comm *c, const kmeans_options *o, const kmeans_rows *rows, int restart, float *centroids);

#endif
