/* DBSCAN's clusters for all rows. Only a sample is clustered; every row then takes the cluster of
 * its nearest core point. That is the question of k-means with core points in place of centroids,
 * so that its screens answer it: 65535 core points at once, the nearest of all turns. */
#include "src/base/memory.h"
#include "src/base/unit_length.h"
#include "src/label/dbscan.h"

#include <math.h>
#include <omp.h>

enum { AT_ONCE = 65535 }; /* core points: kmeans_assign's K */

/* Sums of doubles in the order of core points, which every rank has in the same order: nothing has
 * to be exact in any order here. */
status dbscan_means(const float *core, const int32_t *cluster, size_t n, int d, int k, int cosine,
    float *centroids) {
    size_t columns = (size_t)d, clusters = (size_t)k;
    double *sum = memory_alloc(clusters * columns, sizeof *sum, "sums of clusters");
    int64_t *count = memory_alloc(clusters, sizeof *count, "sizes of clusters");
    status st = sum && count ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        for (size_t i = 0; i < n; i++) {
            double *to = sum + (size_t)cluster[i] * columns;
            for (size_t j = 0; j < columns; j++) to[j] += (double)core[i * columns + j];
            count[cluster[i]]++;
        }
        for (size_t at = 0; at < clusters * columns; at++)
            centroids[at] = (float)(sum[at] / (double)count[at / columns]);
        if (cosine) unit_length_rows(centroids, clusters, d);
    }
    memory_free(sum);
    memory_free(count);
    return st;
}

typedef struct nearest {
    double distance;
    size_t core;
} nearest;

/* best [n], improved by the nearest of the core points from `begin` on, which label [n] counts from
 * there. */
static void improve(const features *x, const float *core, size_t begin, const uint16_t *label,
    int threads, float *scratch, nearest *best) {
    size_t d = (size_t)x->d;
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < x->n; i++) {
        const float *row = features_row(x, i, scratch + (size_t)omp_get_thread_num() * d);
        size_t at = begin + label[i];
        double distance = kmeans_distance(row, core + at * d, x->d);
        if (distance < best[i].distance) best[i] = (nearest){distance, at};
        features_passed(x, i, 1);
    }
    features_release(x, 0, x->n);
}

/* Turns of as many core points as k-means' assignment takes; between turns exact distances are
 * compared, so that of equally near core points the first stays. */
status dbscan_extend(const features *x, const float *core, const int32_t *cluster, size_t n,
    double eps, int threads, uint16_t *label) {
    size_t d = (size_t)x->d;
    kmeans_counts counts;
    nearest *best = memory_alloc(x->n, sizeof *best, "nearest core points");
    uint16_t *near = memory_alloc(x->n, sizeof *near, "nearest core points");
    float *scratch = memory_alloc((size_t)threads * d, sizeof *scratch, "a row a thread");
    status st = best && near && scratch ? STATUS_OK : STATUS_FAILED;
    for (size_t i = 0; best && i < x->n; i++) best[i].distance = INFINITY;
    for (size_t at = 0; st == STATUS_OK && at < n; at += AT_ONCE) {
        int k = n - at < AT_ONCE ? (int)(n - at) : AT_ONCE;
        for (size_t i = 0; i < x->n; i++) near[i] = LABEL_NONE;
        st = kmeans_assign(x, core + at * d, k, threads, near, NULL, &counts);
        if (st == STATUS_OK) improve(x, core, at, near, threads, scratch, best);
    }
    for (size_t i = 0; st == STATUS_OK && i < x->n; i++)
        label[i] =
            best[i].distance <= eps * eps ? (uint16_t)cluster[best[i].core] : (uint16_t)LABEL_NONE;
    memory_free(best);
    memory_free(near);
    memory_free(scratch);
    return st;
}
