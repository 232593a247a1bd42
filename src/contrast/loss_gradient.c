/* The gradient for the rows of one caller. A pair (i, j) acts twice on row i: with i as the
 * anchor, and with j as an anchor that has i in its pool. Both weights follow from what pass 2 has
 * left for i and for j; so one pass over tiles, in fixed order, gives the whole sum, and no part
 * of it has to come from another rank. */
#include "src/contrast/loss.h"

#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/contrast/terms.h"
#include "src/contrast/tiles.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

/* What each row contributes as an anchor, by position. Logarithms are split into a product, rounded
 * to float, and a factor near 1 that makes up for the rounding:
 *   a negative's weight   e^{s + log Q} / |P|       = negative e^{(product - negative_at) / tau}
 *   a positive's weight   -(1 / |P|) N / (e^s + N)
 *                         = -share / (1 + positive e^{(product - positive_at) / tau})
 * Anchors that do not count have negative = share = 0. Where all log Q are near each other
 * (`common`), negative_at is one for all: a pair's two weights then need one exponential. */
typedef struct weights {
    float *negative, *negative_at, *positive, *positive_at, *share; /* [n to whole tiles] */
    double *log_negatives, *log_q;                                  /* [n], log_q less log |P| */
    double tau;
    bool common;
} weights;

typedef struct workspace {
    product_word *a;
    float *dot, *product;
    double *sum; /* [TILE_ROWS, pitch] */
} workspace;

/* The first arrays of the two blocks. */
static void weights_destroy(weights *w) {
    memory_free(w->negative);
    memory_free(w->log_negatives);
}

/* Whether the row is an anchor with both kinds of pairs: others pull at nothing. */
static bool counts(const contrast_row *r) {
    return r->positives > 0 && r->negatives > 0;
}

/* log (Q / |P|): the common factor of an anchor's negatives. */
static double log_weight(const contrast_row *r) {
    return r->log_q - log((double)r->positives);
}

/* A positive that is so far above all negatives that nothing of them is left beside it, even as a
 * double, has log Q = -infinity: the negatives of such an anchor pull at nothing. */
static bool has_negatives(const contrast_row *r) {
    return counts(r) && r->log_q > -INFINITY;
}

/* The middle of log Q - log |P| over the whole pool, so that the choice is the same for any part
 * of its rows; false: the factors would leave float's range. */
static bool find_common(const tiles *t, const contrast_row *row, double *middle) {
    const double farthest = 30;
    double least = INFINITY, most = -INFINITY;
    for (int32_t i = 0; i < t->n; i++) {
        const contrast_row *r = &row[t->origin[i]];
        if (!has_negatives(r)) continue;
        least = fmin(least, log_weight(r));
        most = fmax(most, log_weight(r));
    }
    *middle = least <= most ? least / 2 + most / 2 : 0;
    return most - least <= 2 * farthest;
}

/* Each anchor's factors, by position. exp of a rounded logarithm would be off by much more than a
 * float: so the product at which the exponential is one is rounded, and a factor near 1 makes up
 * for it. */
static void fill_weights(weights *w, const tiles *t, const contrast_row *row) {
    double middle;
    w->common = find_common(t, row, &middle);
    for (int32_t i = 0; i < t->n; i++) {
        const contrast_row *r = &row[t->origin[i]];
        if (w->common) w->negative_at[i] = (float)(-middle * w->tau);
        if (!counts(r)) continue;
        double log_negatives = r->log_negatives, log_q = log_weight(r);
        w->log_negatives[i] = log_negatives;
        w->log_q[i] = log_q;
        if (has_negatives(r)) {
            if (!w->common) w->negative_at[i] = (float)(-log_q * w->tau);
            w->negative[i] = (float)exp(log_q + (double)w->negative_at[i] / w->tau);
        }
        w->positive_at[i] = (float)(log_negatives * w->tau);
        w->positive[i] = (float)exp((double)w->positive_at[i] / w->tau - log_negatives);
        w->share[i] = (float)(1 / (double)r->positives);
    }
}

/* Two blocks, floats and doubles, longer than the pool by a tile: vectors read beyond its end,
 * where factors are zero. */
static status weights_create(weights *out, const tiles *t, const contrast_row *row, double tau) {
    size_t n = (size_t)t->n + TILE_COLUMNS;
    weights w = {.tau = tau};
    w.negative = memory_alloc(5 * n, sizeof *w.negative, "weights of the loss");
    w.log_negatives = memory_alloc(2 * n, sizeof *w.log_negatives, "weights of the loss");
    if (!w.negative || !w.log_negatives) {
        weights_destroy(&w);
        return STATUS_FAILED;
    }
    w.negative_at = w.negative + n;
    w.positive = w.negative_at + n;
    w.positive_at = w.positive + n;
    w.share = w.positive_at + n;
    w.log_q = w.log_negatives + n;
    fill_weights(&w, t, row);
    *out = w;
    return STATUS_OK;
}

/* Weight of a pair outside the runs with i as the anchor; logit = product / tau. */
static double anchor_weight(const tiles *t, const weights *w, int32_t i, int32_t j, double logit) {
    const span *s = &t->where[i];
    double share = (double)w->share[i];
    bool near = j >= s->near_begin && j < s->near_end;
    if (share == 0 || (near && s->partner != j)) return 0;
    if (s->partner != j) return exp(logit + w->log_q[i]);
    return -share / (1 + exp(logit - w->log_negatives[i]));
}

/* Pairs that a partner makes special, in float64, in place of what the tile's loops have put
 * there. */
static void special_weights(const tiles *t, const weights *w, int32_t i, columns c, float *dot) {
    for (int32_t k = t->special[i]; k < t->special[i + 1]; k++) {
        int32_t j = t->other[k];
        if (j < c.begin || j >= c.end) continue;
        double logit = tiles_dot(t, i, j) / w->tau;
        dot[j - c.begin] =
            (float)(anchor_weight(t, w, i, j, logit) + anchor_weight(t, w, j, i, logit));
    }
}

/* Of a range of positions, what lies in these columns. */
static int32_t clamp(int32_t x, columns c) {
    return x < c.begin ? c.begin : x > c.end ? c.end : x;
}

/* The columns from .. from + n - 1 as positives of anchor i: dot [n] becomes weights. */
static void positive_weights(const weights *w, int32_t i, int32_t from, int n, float *dot) {
    float whole[TILE_COLUMNS]; /* vectors */
    int padded = (n + TERM_LANES - 1) / TERM_LANES * TERM_LANES;
    memset(whole, 0, (size_t)padded * sizeof *whole);
    memcpy(whole, dot, (size_t)n * sizeof *whole);
    term own = {w->positive[i], w->positive_at[i]};
    terms_positive_weights(whole, padded, own, w->share[i], w->positive + from,
        w->positive_at + from, w->share + from, (float)(1 / w->tau));
    memcpy(dot, whole, (size_t)n * sizeof *whole);
}

/* All columns as negatives of anchor i. */
static void negative_weights(const weights *w, int32_t i, columns c, float *dot) {
    int n = c.end - c.begin;
    term own = {w->negative[i], w->negative_at[i]};
    const float *factor = w->negative + c.begin;
    float scale = (float)(1 / w->tau);
    if (w->common)
        terms_weights_common(dot, n, own, factor, scale);
    else
        terms_weights(dot, n, own, factor, w->negative_at + c.begin, scale);
}

/* G_ij + G_ji (times tau and the number of anchors) for anchor i and the columns, in place. All
 * columns are taken for negatives first, which is one loop without questions; then the run, what is
 * neither, and special pairs are put right. */
static void pair_weights(const tiles *t, const weights *w, int32_t i, columns c, float *dot) {
    const span *s = &t->where[i];
    int32_t segment = clamp(s->segment_begin, c), segment_end = clamp(s->segment_end, c);
    int32_t near = clamp(s->near_begin, c), near_end = clamp(s->near_end, c);
    int32_t run = clamp(s->run_begin, c), run_end = clamp(s->run_end, c);
    float positive[TILE_COLUMNS];
    size_t bytes = (size_t)(run_end - run) * sizeof *positive;
    memcpy(positive, dot + (run - c.begin), bytes);
    negative_weights(w, i, c, dot);
    if (bytes) positive_weights(w, i, run, run_end - run, positive);
    memset(dot + (near - c.begin), 0, (size_t)(near_end - near) * sizeof *dot);
    memcpy(dot + (run - c.begin), positive, bytes);
    memset(dot, 0, (size_t)(segment - c.begin) * sizeof *dot);
    memset(dot + (segment_end - c.begin), 0, (size_t)(c.end - segment_end) * sizeof *dot);
    if (i >= c.begin && i < c.end) dot[i - c.begin] = 0;
    special_weights(t, w, i, c, dot);
}

/* Products, weights, products again, tile by tile; sums in float64. gradient: the caller's array
 * from pool row `first`. */
static void anchor_gradients(const tiles *t, const weights *w, const anchors *a, workspace *k,
    double scale, size_t first, float *gradient) {
    size_t pitch = (size_t)t->pitch;
    memset(k->sum, 0, TILE_ROWS * pitch * sizeof *k->sum);
    for (columns c = columns_at(a->segment_begin, a->segment_end); c.begin < a->segment_end;
         c = columns_at(c.end, a->segment_end)) {
        tiles_dots(t, a, c, k->dot);
        for (int i = 0; i < a->count; i++)
            pair_weights(t, w, a->position[i], c, k->dot + (size_t)i * TILE_STRIDE);
        product_rows(k->dot, c.end - c.begin, t->rows + (size_t)c.begin * pitch, pitch, k->product);
        terms_accumulate(k->sum, k->product, (size_t)a->count * pitch);
    }
    for (int i = 0; i < a->count; i++) {
        size_t row = (size_t)t->origin[a->position[i]] - first, d = (size_t)t->d;
        for (size_t j = 0; j < d; j++)
            gradient[row * d + j] = (float)(scale * k->sum[(size_t)i * pitch + j]);
    }
}

/* In floats; the float64 sums first, for their alignment. */
static size_t workspace_floats(const tiles *t) {
    return anchors_floats(t) + TILE_ROWS * TILE_STRIDE + 3 * TILE_ROWS * (size_t)t->pitch;
}

/* A thread's sums, product, weights and anchors, in one block. */
static workspace workspace_of(const tiles *t, float *memory) {
    size_t block = TILE_ROWS * (size_t)t->pitch;
    float *product = memory + 2 * block, *dot = product + block;
    return (workspace){.sum = (double *)(void *)memory,
        .product = product,
        .dot = dot,
        .a = (product_word *)(void *)(dot + TILE_ROWS * TILE_STRIDE)};
}

/* The mean's factor is that of the whole pool. Rows that take no part keep zeros. */
status contrast_gradient_of(const contrast_options *o, const tiles *t, const contrast_pool *p,
    const contrast_row *row, size_t first, size_t count, float *gradient) {
    weights w = {0};
    int32_t *chosen = NULL;
    float *memory = NULL;
    status st = weights_create(&w, t, row, o->temperature);
    if (st != STATUS_OK) goto done;
    st = STATUS_FAILED;
    int threads = o->threads > 0 ? o->threads : 1;
    size_t floats = workspace_floats(t);
    chosen = memory_alloc(count, sizeof *chosen, "anchors");
    memory = memory_alloc((size_t)threads * floats, sizeof *memory, "tiles of the gradient");
    if (!chosen || !memory) goto done;
    int64_t counted = contrast_total(p, row).anchors;
    double scale = counted ? 1 / ((double)counted * o->temperature) : 0;
    int32_t anchors_here = tiles_select(t, first, count, chosen);
    memset(gradient, 0, count * (size_t)p->d * sizeof *gradient);
#pragma omp parallel num_threads(threads)
    {
        workspace k = workspace_of(t, memory + (size_t)omp_get_thread_num() * floats);
        anchors a = {.a = k.a};
#pragma omp for schedule(dynamic)
        for (int32_t i = 0; i < anchors_here; i += TILE_ROWS) {
            int32_t left = anchors_here - i;
            anchors_gather(&a, t, chosen + i, left < TILE_ROWS ? left : TILE_ROWS);
            anchor_gradients(t, &w, &a, &k, scale, first, gradient);
            pulse_tick();
        }
    }
    st = STATUS_OK;
done:
    memory_free(chosen);
    memory_free(memory);
    weights_destroy(&w);
    return st;
}

status contrast_gradient(const contrast_options *o, const contrast_pool *p, const contrast_row *row,
    size_t first, size_t count, float *gradient) {
    tiles t;
    status st = tiles_create(&t, o, p, o->type == DTYPE_BF16 && o->pairs);
    if (st != STATUS_OK) return st;
    st = contrast_gradient_of(o, &t, p, row, first, count, gradient);
    tiles_destroy(&t);
    return st;
}
