/* Local arithmetic of k-means over feature rows. Not collective: mpi/kmeans.h is the loop around
 * it.
 *
 * A row's label is *defined*: the lowest c that minimises sum_j (x_j - c_j)^2 over the
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

enum {
    LABEL_NONE = 65535,  /* no label: not assigned yet, an outlier, or ignored */
    FEATURES_D = 65536,  /* largest D */
    FEATURES_LARGE = 50, /* |elements| are at most 2^50: distances stay finite in float */
};

/* Feature rows of this rank's images, in image order. */
typedef struct features {
    size_t n;
    int d;
    dtype type;
    void *data; /* [n, D] float or bf16 */
} features;

/* Row i as floats: in place, or converted into scratch [D]. */
const float *features_row(const features *x, size_t i, float *scratch);
/* Largest |element|; in *bad the first row with an element that is not finite or beyond 2^50, or
 * -1. */
double features_largest(const features *x, int threads, int64_t *bad);

/* The defining distance: row x [D] float, centroid c [D]. */
double kmeans_distance(const float *x, const float *c, int d);

typedef struct kmeans_counts {
    int64_t changed, kept;
} kmeans_counts; /* labels that changed; centroids decided in float64, over rows */

/* label [n] (old labels in, new ones out; LABEL_NONE: none yet) and distance [n] (the defining
 * squared distance, rounded to float after) of every row. c [K, D], 1 <= K <= 65535. Elements of x
 * and c are finite and at most 2^50. Threads over tiles. On failure no output is touched. */
status kmeans_assign(const features *x, const float *c, int k, int threads, uint16_t *label,
    float *distance, kmeans_counts *counts);

/* Exact sums: every element becomes an integer, 2^scale a unit, rounded to the nearest; integers
 * add in any order to the same. sum [K, D] and count [K] are added to; rows of LABEL_NONE are left
 * out. On failure no output is touched. */
status kmeans_sums(const features *x, const uint16_t *label, int k, int scale, int threads,
    int64_t *sum, int64_t *count);
/* The scale for `rows` rows (global) whose largest |element| is `largest`: no sum can overflow. */
int kmeans_scale(int64_t rows, double largest);
/* Moves one row x [D] from a sum [D] to another. */
void kmeans_move(const float *x, int d, int scale, int64_t *from, int64_t *to);
/* c [K, D] = sum / count (unit length if cosine), rounded to float32; centroids with count 0, and
 * with a sum of length 0 if cosine, keep their value. */
void kmeans_centroids(
    const int64_t *sum, const int64_t *count, int k, int d, int scale, int cosine, float *c);
/* Rows of c [K, D] to length 1, in float64; rows of zeros stay. */
void kmeans_normalize(float *c, int k, int d);

#endif
