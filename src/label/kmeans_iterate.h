/* Lloyd's iterations over rows that one rank has: for starts. Not collective; mpi/kmeans.h is
 * k-means over all rows. */
#ifndef AUXSEG_LABEL_KMEANS_ITERATE_H
#define AUXSEG_LABEL_KMEANS_ITERATE_H

#include "src/label/kmeans.h"

typedef struct kmeans_iterate_options {
    kmeans_assigner_options assigner;
    int cosine, iterations; /* at most; fewer when no label changes */
    /* NULL, or asked after each iteration with how it went: anything but STATUS_OK ends them. */
    status (*ask)(void *context, status st);
    void *context;
} kmeans_iterate_options;

/* From c [K, D] on, which becomes the last centroids; label [n] out: theirs. Clusters without rows
 * keep their centroid. Elements of x are finite and at most 2^50. The same bits for any number of
 * threads. On failure c and label mean nothing. */
status kmeans_iterate(
    const features *x, const kmeans_iterate_options *o, float *c, uint16_t *label);

#endif
