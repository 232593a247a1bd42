/* Initial centroids from a sample that every rank holds: random rows, or k-means++. What the
 * triangle inequality tells of rows that the newest centroid cannot attract leaves out most of the
 * distances of k-means++ once some centroids are there. */
#include "src/label/kmeans_start.h"

#include "src/base/memory.h"
#include "src/label/kmeans.h"
#include "src/label/row_sample.h"

#include <math.h>
#include <string.h>

static void copy_row(float *c, int a, const float *x, size_t row, int d) {
    memcpy(c + (size_t)a * (size_t)d, x + row * (size_t)d, (size_t)d * sizeof *c);
}

/* Distinct rows, not distinct values: copies of a row may both be chosen. */
status kmeans_start_random(random_stream *r, const float *x, size_t n, int d, int k, float *c) {
    int64_t *chosen = memory_alloc((size_t)k, sizeof *chosen, "initial rows");
    if (!chosen) return STATUS_FAILED;
    row_sample_choose(r, (int64_t)n, k, chosen);
    for (int a = 0; a < k; a++) copy_row(c, a, x, (size_t)chosen[a], d);
    memory_free(chosen);
    return STATUS_OK;
}

/* What k-means++ knows of its rows, and how far it has come. */
struct kmeans_plusplus {
    const kmeans_start_rows *rows;
    random_stream *r;
    float *c; /* [K, D] */
    int k, chosen, threads;
    double *nearest; /* [n]: squared distance from the nearest centroid so far */
    int32_t *owner;  /* [n]: which one */
    double *apart;   /* [K]: squared distances of the newest centroid from those before */
};

/* Whether float32 alone shows that kmeans_distance is `nearest` or more: few rows come nearer to a
 * new centroid, and for the others the definition is not needed. */
static bool surely_farther(const float *x, const float *c, int d, double nearest) {
    float near = kmeans_near(x, c, d);
    return near >= KMEANS_NEAR_LEAST &&
           (double)near * (1 - 2 * (double)kmeans_near_error(d)) >= nearest;
}

/* Centroid `newest` of c [.., D] is there. A row that is nearer to its own centroid than half the
 * way from there to the newest cannot be nearer to that; the margin is far beyond rounding. */
static void add_centroid(kmeans_plusplus *p, int newest) {
    const float *x = p->rows->x, *c = p->c;
    size_t d = (size_t)p->rows->d, n = p->rows->n;
    const float *to = c + (size_t)newest * d;
#pragma omp parallel for num_threads(p->threads)
    for (int a = 0; a < newest; a++)
        p->apart[a] = kmeans_distance(c + (size_t)a * d, to, p->rows->d) * (0.25 - 0x1p-30);
#pragma omp parallel for num_threads(p->threads)
    for (size_t i = 0; i < n; i++) {
        if (newest > 0 && (p->apart[p->owner[i]] >= p->nearest[i] ||
                              surely_farther(x + i * d, to, p->rows->d, p->nearest[i])))
            continue;
        double distance = kmeans_distance(x + i * d, to, p->rows->d);
        if (distance >= p->nearest[i]) continue;
        p->nearest[i] = distance;
        p->owner[i] = newest;
    }
}

/* A candidate of k-means|| stands for the rows that are nearest to it. */
static double weighted(const kmeans_plusplus *p, size_t i) {
    return p->rows->weight ? (double)p->rows->weight[i] * p->nearest[i] : p->nearest[i];
}

/* The first row at which the running sum passes `target`, among those at a distance. Rounding may
 * leave the sum below the target at the end: then it is the last of them. */
static size_t row_at_sum(const kmeans_plusplus *p, double target) {
    size_t last = 0;
    double sum = 0;
    for (size_t i = 0; i < p->rows->n; i++) {
        if (p->nearest[i] <= 0) continue;
        last = i;
        sum += weighted(p, i);
        if (sum > target) break;
    }
    return last;
}

/* By weight in integers: exact, and so the same on every rank. */
static size_t first_row(random_stream *r, const kmeans_start_rows *rows) {
    uint64_t sum = 0;
    if (!rows->weight) return random_below(r, rows->n);
    for (size_t i = 0; i < rows->n; i++) sum += (uint64_t)rows->weight[i];
    uint64_t target = random_below(r, sum);
    size_t row = 0;
    while (target >= (uint64_t)rows->weight[row]) target -= (uint64_t)rows->weight[row++];
    return row;
}

void kmeans_plusplus_destroy(kmeans_plusplus *p) {
    if (!p) return;
    memory_free(p->nearest);
    memory_free(p->owner);
    memory_free(p->apart);
    memory_free(p);
}

status kmeans_plusplus_create(kmeans_plusplus **out, random_stream *r,
    const kmeans_start_rows *rows, int k, int threads, float *c) {
    kmeans_plusplus *p = memory_alloc(1, sizeof *p, "k-means++");
    if (!p) return STATUS_FAILED;
    *p = (kmeans_plusplus){.rows = rows, .r = r, .c = c, .k = k, .threads = threads};
    p->nearest = memory_alloc(rows->n, sizeof *p->nearest, "distances of the sample");
    p->owner = memory_alloc(rows->n, sizeof *p->owner, "centroids of the sample");
    p->apart = memory_alloc((size_t)k, sizeof *p->apart, "distances of centroids");
    if (!p->nearest || !p->owner || !p->apart) {
        kmeans_plusplus_destroy(p);
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < rows->n; i++) p->nearest[i] = INFINITY;
    *out = p;
    return STATUS_OK;
}

/* The running sum is one sum in the order of rows, on one thread: its rounding decides which row
 * is drawn. Distances take the time, and threads share those. */
static size_t next_row(kmeans_plusplus *p) {
    size_t n = p->rows->n;
    double sum = 0;
    if (p->chosen == 0) return first_row(p->r, p->rows);
    add_centroid(p, p->chosen - 1);
    for (size_t i = 0; i < n; i++) sum += weighted(p, i);
    return sum > 0 ? row_at_sum(p, random_uniform(p->r) * sum) : random_below(p->r, n);
}

/* What the triangle inequality leaves out is counted, too: later ones are faster. */
bool kmeans_plusplus_go_on(kmeans_plusplus *p, double work) {
    double each = (double)p->rows->n * p->rows->d, done = 0;
    do {
        copy_row(p->c, p->chosen, p->rows->x, next_row(p), p->rows->d);
        p->chosen++;
        done += each;
    } while (p->chosen < p->k && done + each <= work);
    return p->chosen < p->k;
}
