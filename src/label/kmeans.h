/* Local arithmetic of k-means over feature rows. Not collective: mpi/kmeans.h is the loop around
 * it.
 *
 * A row's label is *defined* (DESIGN 1.3): the lowest c that minimises sum_j (x_j - c_j)^2 over the
 * stored row x and the float32 centroid c, in float64, eight lanes (j mod 8) added as a fixed tree
 * ((0+4)+(2+6)) + ((1+5)+(3+7)), no contraction. Whatever screens the candidates excludes a
 * centroid only beyond this sum's own rounding: labels do not depend on batching, threads, ranks or
 * instruction set. */
#ifndef AUXSEG_LABEL_KMEANS_H
#define AUXSEG_LABEL_KMEANS_H

#include "src/base/status.h"
#include "src/nn/dtype.h"

#include <stddef.h>
#include <stdint.h>

/* Feature rows of this rank's images, in image order. */
typedef struct features {
    size_t n;
    int d;
    dtype type;
    void *data; /* [n, D] float or bf16 */
} features;

/* The defining distance: row x [D] float, centroid c [D]. */
double kmeans_distance(const float *x, const float *c, int d);

typedef struct kmeans_counts {
    int64_t changed, kept;
} kmeans_counts; /* labels that changed; centroids decided in float64, over rows */

/* label [n] (old labels in, new ones out; 65535: none yet) and distance [n] (the defining squared
 * distance, rounded to float after) of every row. c [K, D]. Threads over tiles. */
status kmeans_assign(const features *x, const float *c, int k, int threads, uint16_t *label,
    float *distance, kmeans_counts *counts);

/* Exact sums: fixed point with 2^scale a unit. sum [K, D] and count [K] are added to. */
status kmeans_sums(const features *x, const uint16_t *label, int k, int scale, int threads,
    int64_t *sum, int64_t *count);
/* The scale for `rows` rows (global) whose largest |element| is `largest`: no sum can overflow. */
int kmeans_scale(int64_t rows, double largest);
/* Largest |element|; the first non-finite row's index in *bad, or -1. */
double kmeans_largest(const features *x, int64_t *bad);
/* c [K, D] = sum / count (unit length if cosine), rounded to float32; centroids with count 0 keep
 * their value and are counted. */
int kmeans_centroids(
    const int64_t *sum, const int64_t *count, int k, int d, int scale, int cosine, float *c);

#endif
