/* The most typical pixels of each cluster over all ranks. */
#ifndef AUXSEG_MPI_TYPICAL_H
#define AUXSEG_MPI_TYPICAL_H

#include "mpi/comm.h"
#include "src/label/features.h"
#include "src/label/typical.h"

/* label [n], in [0, K) or LABEL_NONE, and distance [n], squared, finite, to the label's centroid,
 * of the rows of x, whose data are not read. *out [K, TYPICAL]: the pixels nearest to each
 * centroid, at most one an image, nearest first; the same on every rank, owned (memory_free).
 * Collective. Does not depend on the number of ranks. */
status typical_find(const comm *c, const features *x, const uint16_t *label, const float *distance,
    int k, typical_pixel **out);

#endif
