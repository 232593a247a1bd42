/* Initial centroids of k-means, chosen from a sample of rows. Not collective: every rank does the
 * same on the same sample. */
#ifndef AUXSEG_LABEL_KMEANS_START_H
#define AUXSEG_LABEL_KMEANS_START_H

#include "src/base/random.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* c [K, D] becomes K distinct rows of x [n, D], n >= K. */
status kmeans_start_random(random_stream *r, const float *x, size_t n, int d, int k, float *c);

/* Rows [n, D] that stand for `weight` [n] >= 0 rows each, not all of them zero; NULL: for one.
 * Borrowed. */
typedef struct kmeans_start_rows {
    const float *x;
    const int64_t *weight;
    size_t n;
    int d;
} kmeans_start_rows;

/* k-means++ (Arthur and Vassilvitskii 2007): the first centroid is a row drawn by weight, each next
 * one a row with probability proportional to its weight times its squared distance from the nearest
 * before it. When no row is left that is not a centroid already, the rest are any rows. Distances
 * that the triangle inequality tells to be of no use are not computed (Elkan 2003). The result does
 * not depend on threads. Some centroids at a time, for who wants to be able to stop: rows, r and
 * c [K, D] are borrowed until the end. */
typedef struct kmeans_plusplus kmeans_plusplus;
status kmeans_plusplus_create(kmeans_plusplus **out, random_stream *r,
    const kmeans_start_rows *rows, int k, int threads, float *c);
/* Chooses some more, as many as take `work` multiplications or fewer, at least one; false: all K
 * are there. */
bool kmeans_plusplus_go_on(kmeans_plusplus *p, double work);
/* NULL-safe. */
void kmeans_plusplus_destroy(kmeans_plusplus *p);

#endif
