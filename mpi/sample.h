/* A sample of the rows of all ranks: what k-means starts from, and what DBSCAN works on. */
#ifndef AUXSEG_MPI_SAMPLE_H
#define AUXSEG_MPI_SAMPLE_H

#include "mpi/comm.h"
#include "src/label/kmeans.h"

/* A rank's rows and where they lie among all. */
typedef struct kmeans_rows {
    const features *x;
    const int64_t *image; /* [images]: rows of each */
    int64_t images, first;
    int64_t before, total; /* rows of the ranks before this one; of all ranks */
} kmeans_rows;

/* *out [sample, D], owned by the caller (memory_free): rows in the order of image and pixel, spread
 * evenly over all, chosen within an image by (seed, restart, image); 1 <= sample <= total. The same
 * on every rank and for any number of ranks. Collective. On failure *out is not touched. */
status sample_gather(const comm *c, const kmeans_rows *rows, uint64_t seed, int restart,
    int64_t sample, float **out);

#endif
