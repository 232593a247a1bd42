/* The most typical pixels of each cluster over all ranks. */
#ifndef AUXSEG_MPI_TYPICAL_H
#define AUXSEG_MPI_TYPICAL_H

#include "mpi/comm.h"
#include "src/label/typical.h"

/* The labelled pixels of this rank, whole images in order: image[i] pixels of image first + i;
 * label and distance of all, one image after the other. Borrowed. */
typedef struct typical_rows {
    const uint16_t *label; /* in [0, K) or LABEL_NONE */
    const float *distance; /* squared, to the centroid; finite */
    const int64_t *image;  /* [images] */
    int64_t images, first;
} typical_rows;

/* *out [K, TYPICAL]: the pixels nearest to each centroid, at most one an image, nearest first; the
 * same on every rank, owned (memory_free). Collective. Does not depend on the number of ranks. */
status typical_find(const comm *c, const typical_rows *rows, int k, typical_pixel **out);

#endif
