/* Mini-batches. Every rank draws the whole batch and takes its own rows of it, so that no message
 * says who has which. A batch is small: its rows are copied together and assigned like any others.
 */
#include "mpi/kmeans_minibatch.h"

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/timer.h"
#include "src/base/unit_length.h"
#include "src/label/distance_sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* For a batch that falls to one rank as a whole, which chance allows. */
status minibatch_create(minibatch *m, const kmeans_options *o, int d, double largest) {
    size_t batch = (size_t)o->batch, k = (size_t)o->k, sums = k * (size_t)d;
    *m = (minibatch){.rows = {.d = d, .type = DTYPE_F32}};
    m->rows.data = memory_alloc(batch * (size_t)d, sizeof(float), "rows of a batch");
    m->chosen = memory_alloc(batch, sizeof *m->chosen, "rows of a batch");
    m->label = memory_alloc(batch, sizeof *m->label, "labels of a batch");
    m->summed = memory_alloc(batch, sizeof *m->summed, "labels of a batch");
    m->distance = memory_alloc(batch, sizeof *m->distance, "distances of a batch");
    m->count = memory_alloc(k, sizeof *m->count, "rows of centroids");
    int64_t *sum = memory_alloc(sums + k, sizeof *sum, "sums of a batch");
    if (sum) m->total = (kmeans_sum_total){sum, sum + sums, kmeans_scale(o->batch, largest)};
    bool all = m->rows.data && m->chosen && m->label && m->summed && m->distance && m->count && sum;
    return all ? STATUS_OK : STATUS_FAILED;
}

/* Of zeros: nothing. */
void minibatch_destroy(minibatch *m) {
    memory_free(m->rows.data);
    memory_free(m->chosen);
    memory_free(m->label);
    memory_free(m->summed);
    memory_free(m->distance);
    memory_free(m->count);
    memory_free(m->total.sum);
    *m = (minibatch){0};
}

/* Row numbers, ascending. */
static int compare_rows(const void *a, const void *b) {
    const int64_t *i = a, *j = b;
    return (*i > *j) - (*i < *j);
}

/* This rank's rows of the batch: every rank draws all, each takes its own. Nothing depends on their
 * order; where they lie in a file it is the file's. */
static void draw(
    minibatch *m, const kmeans_options *o, const features *x, const kmeans_iteration *it) {
    size_t d = (size_t)x->d;
    random_stream r =
        random_begin(o->seed, RANDOM_BATCH, (uint64_t)it->restart, (uint64_t)it->iteration);
    m->rows.n = 0;
    for (int i = 0; i < o->batch; i++) {
        int64_t row = (int64_t)random_below(&r, (uint64_t)x->total) - x->before;
        if (row >= 0 && row < (int64_t)x->n) m->chosen[m->rows.n++] = row;
    }
    /* Rows that are read in the order of the file come as pages, not one by one. */
    if (x->mapped) qsort(m->chosen, m->rows.n, sizeof *m->chosen, compare_rows);
    for (size_t i = 0; i < m->rows.n; i++) {
        features_copy_row(x, (size_t)m->chosen[i], (float *)m->rows.data + i * d);
        if (i > 0)
            features_passed(x, (size_t)m->chosen[i - 1], (size_t)(m->chosen[i] - m->chosen[i - 1]));
    }
    features_release(x, 0, x->n);
}

/* Sums and counts of the batch over all ranks; returns the seconds of the exchange. Collective. */
static double sum_batch(minibatch *m, const comm *c, const kmeans_options *o) {
    size_t words = (size_t)o->k * (size_t)m->rows.d + (size_t)o->k;
    memset(m->total.sum, 0, words * sizeof *m->total.sum);
    memset(m->summed, 0xFF, m->rows.n * sizeof *m->summed); /* LABEL_NONE */
    kmeans_sums_follow(&m->rows, m->label, m->summed, o->threads, &m->total);
    double now = timer_now();
    comm_sum_i64(c, m->total.sum, words);
    return timer_now() - now;
}

/* Objective, scaled to all rows, and kept centroids. One reduction for both: a batch is short, and
 * its exchanges are what it waits for. Collective. */
static void sum_figures(const minibatch *m, const comm *c, int64_t rows,
    const kmeans_counts *counts, int batch, kmeans_iteration *it) {
    enum { KEPT = 4, FIGURES };
    double largest = 0;
    sum128 sum = {{0}};
    for (size_t i = 0; i < m->rows.n; i++) largest = fmax(largest, (double)m->distance[i]);
    comm_max_f64(c, &largest, 1);
    int unit = distance_sum_unit(batch, largest);
    sum128_add(&sum, distance_sum(m->distance, m->rows.n, unit));
    int64_t figure[FIGURES] = {[KEPT] = counts->kept};
    memcpy(figure, sum.part, sizeof sum.part);
    comm_sum_i64(c, figure, FIGURES);
    memcpy(sum.part, figure, sizeof sum.part);
    it->objective = ldexp((double)sum128_value(&sum), -unit) * ((double)rows / (double)batch);
    it->kept = figure[KEPT];
}

/* Each centroid is the mean of all rows that it has taken: with their number, old and new, exactly
 * as if they came one by one. In float64, on every rank alike. */
static void move_centroids(minibatch *m, const kmeans_options *o, float *centroids) {
    size_t d = (size_t)m->rows.d;
    for (size_t a = 0; a < (size_t)o->k; a++) {
        if (m->total.count[a] == 0) continue;
        double before = (double)m->count[a], after = before + (double)m->total.count[a];
        for (size_t j = a * d; j < (a + 1) * d; j++) {
            double sum = ldexp((double)m->total.sum[j], -m->total.scale);
            centroids[j] = (float)((before * (double)centroids[j] + sum) / after);
        }
        if (o->cosine) unit_length_rows(centroids + a * d, 1, (int)d);
        m->count[a] += m->total.count[a];
    }
}

/* Sums and figures come from labels for the centroids before the move. */
status minibatch_step(minibatch *m, const comm *c, const kmeans_options *o, const features *x,
    float *centroids, kmeans_iteration *it) {
    kmeans_counts counts = {0};
    double now = timer_now();
    draw(m, o, x, it);
    memset(m->label, 0xFF, m->rows.n * sizeof *m->label); /* LABEL_NONE */
    status st = comm_agree(
        c, kmeans_assign(&m->rows, centroids, o->k, o->threads, m->label, m->distance, &counts));
    if (st != STATUS_OK) return st;
    double assigned = timer_now();
    it->assign_seconds = assigned - now;
    sum_figures(m, c, x->total, &counts, o->batch, it);
    it->exchange_seconds = sum_batch(m, c, o);
    it->imbalance = kmeans_imbalance(m->total.count, o->k, o->batch);
    move_centroids(m, o, centroids);
    it->rows = o->batch;
    /* A row is met now and then: its last label is not known. */
    it->changed = -1;
    it->repaired = 0;
    it->visited = 1;
    it->arithmetic = "f32";
    it->update_seconds = timer_now() - assigned;
    return STATUS_OK;
}
