/* A sample of the rows of all ranks: what k-means starts from, and what DBSCAN works on. */
#ifndef AUXSEG_MPI_ROW_SAMPLE_H
#define AUXSEG_MPI_ROW_SAMPLE_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* *out [sample, D], owned by the caller (memory_free): rows in the order of image and pixel, spread
 * evenly over all, chosen within an image by (seed, restart, image); 1 <= sample <= x->total. x:
 * placed. The same on every rank and for any number of ranks. Collective. On failure *out is not
 * touched. */
status row_sample_gather(
    const comm *c, const features *x, uint64_t seed, int restart, int64_t sample, float **out);

#endif
