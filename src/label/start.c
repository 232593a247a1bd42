#include "src/label/start.h"

#include "src/base/memory.h"
#include "src/label/kmeans.h"

#include <math.h>
#include <string.h>

int64_t start_share(int64_t row, int64_t rows, int64_t sample) {
    return (int64_t)((__int128)row * sample / rows);
}

/* Selection sampling (Knuth, volume 2, algorithm S). */
void start_choose(random_stream *r, int64_t n, int64_t m, int64_t *chosen) {
    for (int64_t i = 0, taken = 0; taken < m; i++)
        if (random_below(r, (uint64_t)(n - i)) < (uint64_t)(m - taken)) chosen[taken++] = i;
}

static void copy_row(float *c, int a, const float *x, size_t row, int d) {
    memcpy(c + (size_t)a * (size_t)d, x + row * (size_t)d, (size_t)d * sizeof *c);
}

status start_random(random_stream *r, const float *x, size_t n, int d, int k, float *c) {
    int64_t *chosen = memory_alloc((size_t)k, sizeof *chosen, "initial rows");
    if (!chosen) return STATUS_FAILED;
    start_choose(r, (int64_t)n, k, chosen);
    for (int a = 0; a < k; a++) copy_row(c, a, x, (size_t)chosen[a], d);
    memory_free(chosen);
    return STATUS_OK;
}

/* nearest [n]: squared distance from the nearest centroid so far, c [D] being the newest. Returns
 * the sum, added in the order of rows. */
static double update_nearest(
    const float *x, size_t n, int d, const float *c, int threads, double *nearest) {
    double sum = 0;
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < n; i++)
        nearest[i] = fmin(nearest[i], kmeans_distance(x + i * (size_t)d, c, d));
    for (size_t i = 0; i < n; i++) sum += nearest[i];
    return sum;
}

/* The first row at which the running sum passes `target`, among those at a distance. */
static size_t row_at_sum(const double *nearest, size_t n, double target) {
    size_t last = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (nearest[i] <= 0) continue;
        last = i;
        sum += nearest[i];
        if (sum > target) break;
    }
    return last;
}

status start_plusplus(
    random_stream *r, const float *x, size_t n, int d, int k, int threads, float *c) {
    double *nearest = memory_alloc(n, sizeof *nearest, "distances of the sample");
    if (!nearest) return STATUS_FAILED;
    for (size_t i = 0; i < n; i++) nearest[i] = INFINITY;
    copy_row(c, 0, x, random_below(r, n), d);
    for (int a = 1; a < k; a++) {
        const float *newest = c + (size_t)(a - 1) * (size_t)d;
        double sum = update_nearest(x, n, d, newest, threads, nearest);
        size_t row = sum > 0 ? row_at_sum(nearest, n, random_uniform(r) * sum) : random_below(r, n);
        copy_row(c, a, x, row, d);
    }
    memory_free(nearest);
    return STATUS_OK;
}
