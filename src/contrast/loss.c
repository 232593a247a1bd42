/* Passes 1 and 2 of the loss: the sum over negatives, then loss and Q over positives (loss.h; the
 * page of this folder has the mathematics). The same products are computed twice, as storing them
 * is out of the question: 100,000 rows have 40 GB of them. Exponentials are added in float32
 * within a tile and in float64 over tiles, relative to the largest product so far. */
#include "src/contrast/loss.h"

#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/contrast/terms.h"
#include "src/contrast/tiles.h"

#include <math.h>
#include <omp.h>

/* Sums of one anchor. Logits are products divided by tau; they are kept as products where float
 * differences of them are exact or nearly so, and scaled afterwards. */
typedef struct row_sums {
    float peak;      /* largest product with a negative so far, -inf: none yet */
    double negative; /* sum of exp((product - peak) / tau) over negatives */
    float level;     /* tau log N, rounded, ... */
    float remainder; /* ... and what is left of log N */
    double softplus; /* sum over positives of log(1 + N / e^s) */
    double share;    /* sum over positives of N / (e^s + N) */
} row_sums;

typedef struct workspace {
    product_word *a;
    float *dot, *positive;
} workspace;

/* dot of columns c: the positions from .. to - 1 become value. Setting what does not count apart
 * is cheaper than asking in every element. */
static void fill(float *dot, columns c, int32_t from, int32_t to, float value) {
    if (from < c.begin) from = c.begin;
    if (to > c.end) to = c.end;
    for (int32_t j = from; j < to; j++) dot[j - c.begin] = value;
}

/* The negatives among the columns; dot is used up. -inf stands for what is no negative. The sum is
 * relative to the largest product so far. A larger one scales it down, the first one 0 by e^-inf;
 * no exponent is ever above 0. Tiles come in one order, so that the same peaks are met in it by
 * whoever computes the row. */
static void add_negatives(row_sums *r, const span *s, columns c, float *dot, double tau) {
    fill(dot, c, c.begin, s->segment_begin, -INFINITY);
    fill(dot, c, s->near_begin, s->near_end, -INFINITY);
    fill(dot, c, s->segment_end, c.end, -INFINITY);
    if (s->partner >= 0) fill(dot, c, s->partner, s->partner + 1, -INFINITY);
    int n = c.end - c.begin;
    float peak = terms_largest(dot, n);
    if (peak == -INFINITY) return;
    if (peak > r->peak) {
        r->negative *= exp(((double)r->peak - (double)peak) / tau);
        r->peak = peak;
    }
    r->negative += terms_negative(dot, n, r->peak, (float)(1 / tau));
}

/* The positives among the columns, apart from a partner outside the run; +inf stands
 * for what is no positive. */
static void add_positives(
    row_sums *r, const span *s, int32_t self, columns c, workspace *w, float *dot, double tau) {
    fill(dot, c, c.begin, s->run_begin, INFINITY);
    fill(dot, c, self, self + 1, INFINITY);
    fill(dot, c, s->run_end, c.end, INFINITY);
    int n = c.end - c.begin;
    positive_sums sums =
        terms_positive(dot, n, r->level, r->remainder, (float)(1 / tau), w->positive);
    r->softplus += sums.softplus;
    r->share += sums.share;
}

/* A partner outside of the run, in float64: one pair a row. */
static void add_partner(row_sums *r, double log_negatives, double logit) {
    double x = log_negatives - logit, y = exp(-fabs(x));
    r->softplus += (x > 0 ? x : 0) + log1p(y);
    r->share += (x > 0 ? 1 : y) / (1 + y);
}

/* Counts follow from positions. A row that lacks either kind keeps its empty sums: contrast_total
 * leaves it out, or counts its loss as zero. */
static contrast_row finish_row(const span *s, const row_sums *r, double log_negatives) {
    contrast_row row = {.log_negatives = log_negatives, .log_q = -INFINITY};
    bool partner = s->partner >= 0;
    bool near = partner && s->partner >= s->near_begin && s->partner < s->near_end;
    row.positives = s->run_end - s->run_begin - 1 + partner;
    row.negatives =
        s->segment_end - s->segment_begin - (s->near_end - s->near_begin) - (partner && !near);
    if (row.positives == 0 || row.negatives == 0) return row;
    row.loss = r->softplus / (double)row.positives;
    row.log_q = log(r->share) - log_negatives;
    return row;
}

/* Passes 1 and 2 of up to TILE_ROWS anchors; row is the caller's array from pool row `first`. Pass
 * 1 has to be over before pass 2 begins: each positive is compared with all negatives. Columns are
 * those that any of the anchors needs; each anchor sets apart what is not its own. After pass 1 log
 * N is split into a float and what that float lacks, as pass 2 compares products in float32. */
static void anchor_rows(
    const tiles *t, double tau, anchors *a, workspace *w, size_t first, contrast_row *row) {
    row_sums sums[TILE_ROWS] = {0};
    double log_negatives[TILE_ROWS];
    for (int i = 0; i < a->count; i++) sums[i].peak = -INFINITY;
    for (columns c = columns_at(a->segment_begin, a->segment_end); c.begin < a->segment_end;
         c = columns_at(c.end, a->segment_end)) {
        tiles_dots(t, a, c, w->dot);
        for (int i = 0; i < a->count; i++)
            add_negatives(
                &sums[i], &t->where[a->position[i]], c, w->dot + (size_t)i * TILE_STRIDE, tau);
    }
    for (int i = 0; i < a->count; i++) {
        row_sums *r = &sums[i];
        log_negatives[i] = r->negative > 0 ? (double)r->peak / tau + log(r->negative) : -INFINITY;
        /* Without a negative finish_row drops the sums. */
        double level = r->negative > 0 ? log_negatives[i] : 0;
        r->level = (float)(level * tau);
        r->remainder = (float)(level - (double)r->level / tau);
    }
    int32_t end = a->run_end - a->run_begin > 1 ? a->run_end : a->run_begin;
    for (columns c = columns_at(a->run_begin, end); c.begin < end; c = columns_at(c.end, end)) {
        tiles_dots(t, a, c, w->dot);
        for (int i = 0; i < a->count; i++) {
            int32_t self = a->position[i];
            add_positives(
                &sums[i], &t->where[self], self, c, w, w->dot + (size_t)i * TILE_STRIDE, tau);
        }
    }
    for (int i = 0; i < a->count; i++) {
        int32_t self = a->position[i];
        const span *s = &t->where[self];
        if (s->partner >= 0)
            add_partner(&sums[i], log_negatives[i], tiles_dot(t, self, s->partner) / tau);
        row[(size_t)t->origin[self] - first] = finish_row(s, &sums[i], log_negatives[i]);
    }
}

static size_t workspace_floats(const tiles *t) {
    return anchors_floats(t) + TILE_ROWS * TILE_STRIDE + 2 * TILE_COLUMNS;
}

/* A thread's anchors, products of a tile, and the terms of its positives, in one block. */
static workspace workspace_of(const tiles *t, float *memory) {
    float *dot = memory + anchors_floats(t);
    return (workspace){
        .a = (product_word *)(void *)memory, .dot = dot, .positive = dot + TILE_ROWS * TILE_STRIDE};
}

/* Tiles of anchors are dealt to threads as they get free; each row is written by the one that has
 * it. */
status contrast_rows_of(
    const contrast_options *o, const tiles *t, size_t first, size_t count, contrast_row *row) {
    int threads = o->threads > 0 ? o->threads : 1;
    status st = STATUS_FAILED;
    size_t floats = workspace_floats(t);
    int32_t *chosen = memory_alloc(count, sizeof *chosen, "anchors");
    float *memory = memory_alloc((size_t)threads * floats, sizeof *memory, "tiles of the loss");
    if (!chosen || !memory) goto done;
    int32_t anchors_here = tiles_select(t, first, count, chosen);
    for (size_t i = 0; i < count; i++)
        row[i] = (contrast_row){.log_negatives = -INFINITY, .log_q = -INFINITY};
#pragma omp parallel num_threads(threads)
    {
        workspace w = workspace_of(t, memory + (size_t)omp_get_thread_num() * floats);
        anchors a = {.a = w.a};
#pragma omp for schedule(dynamic)
        for (int32_t i = 0; i < anchors_here; i += TILE_ROWS) {
            int32_t left = anchors_here - i;
            anchors_gather(&a, t, chosen + i, left < TILE_ROWS ? left : TILE_ROWS);
            anchor_rows(t, o->temperature, &a, &w, first, row);
            pulse_tick();
        }
    }
    st = STATUS_OK;
done:
    memory_free(chosen);
    memory_free(memory);
    return st;
}

status contrast_rows(const contrast_options *o, const contrast_pool *p, size_t first, size_t count,
    contrast_row *row) {
    tiles t;
    status st = tiles_create(&t, o, p, o->type == DTYPE_BF16 && o->pairs);
    if (st != STATUS_OK) return st;
    st = contrast_rows_of(o, &t, first, count, row);
    tiles_destroy(&t);
    return st;
}

/* Over the whole pool in its order, by every rank: the same sum everywhere. */
contrast_stats contrast_total(const contrast_pool *p, const contrast_row *row) {
    contrast_stats total = {0};
    for (size_t i = 0; i < p->n; i++) {
        if (row[i].positives == 0) continue;
        total.loss += row[i].loss;
        total.anchors++;
        total.positives += row[i].positives;
        total.negatives += row[i].negatives;
    }
    if (total.anchors) total.loss /= (double)total.anchors;
    return total;
}
