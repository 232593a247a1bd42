#include "src/base/vector.h"
#include "src/label/kmeans_assigner.h"
#include "src/label/kmeans_lanes.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { LANES = PRODUCT_PANEL, SAMPLE = 2048 };

/* A block of rows of one thread. */
typedef struct block {
    kmeans_assigner *a;
    worker *w;
    size_t first; /* row */
    int visits;   /* noted so far */
    kmeans_counts counts;
} block;

/* p of gathered rows from their products. */
VECTOR_CLONES
static void finish(const kmeans_assigner *a, const product_word *t, const float *scale,
    const int32_t *offset, const float *half, float *p) {
    if (a->rows.type == PRODUCT_INT8)
        for (int r = 0; r < PRODUCT_GATHER; r++)
            for (int l = 0; l < LANES; l++)
                p[r * LANES + l] = half[l] - scale[r] * (float)(t[r * LANES + l].i - offset[r]);
    else
        for (int i = 0; i < PRODUCT_GATHER * LANES; i++) p[i] = half[i % LANES] - t[i].f;
}

/* The length that p - e says a centroid is away at least. */
static float length_down(float p, float e, float half) {
    float square = 2 * half * (1 - 0x1p-22f), g = p - e, q = 2 * g + square;
    q -= (fabsf(g) + square) * 0x1p-21f;
    return q > 0 ? sqrtf(q) * (1 - 0x1p-20f) : 0;
}

/* Centroid c, at `near`, becomes the label of row i, the block's r-th, while group g is visited.
 * The old one becomes one of its group's others; returns how near it was if that group is g. */
static float take(block *b, size_t i, int r, int g, int c, float near) {
    bounds *s = &b->a->bounds;
    int old = b->a->panels.column[s->label[i]] / LANES / s->span;
    float before = b->w->best[r];
    s->label[i] = (uint16_t)c;
    b->w->best[r] = near;
    if (old == g) return before;
    bounds_lower(s, i, old, assigner_beyond(b->a, before));
    return INFINITY;
}

/* Beyond this no centroid with p - e is the label, nor ties: twice G_b is at most q - |y|^2. */
static double limit_of(const kmeans_assigner *a, float near, float half) {
    return assigner_within(a, near) * (0.5 + 0x1p-37) - (double)half * (1 - 0x1p-22);
}

/* Is centroid c, at `near`, the row's label rather than `label`, at `best`? */
static bool is_nearer(
    const kmeans_assigner *a, const float *row, int c, float near, int label, float best) {
    if (assigner_beyond(a, near) > assigner_within(a, best)) return false;
    if (assigner_within(a, near) < assigner_beyond(a, best)) return true;
    double q = assigner_distance(a, row, c), least = assigner_distance(a, row, label);
    return q < least || (q == least && c < label);
}

/* Decides between row i's label and the columns of a panel of group g that may be nearer. Returns
 * a lower bound of the length to all others. */
static float decide(block *b, size_t i, int r, int panel, const float *p, float e) {
    kmeans_assigner *a = b->a;
    const float *row = features_row(a->x, i, b->w->scratch);
    float half = a->rows.half[i], rest = INFINITY, other = INFINITY;
    for (int l = 0; l < LANES; l++) {
        int c = a->panels.centroid[panel * LANES + l], label = a->bounds.label[i];
        if (c < 0 || p[l] == INFINITY) continue;
        if ((double)p[l] - (double)e > limit_of(a, b->w->best[r], half)) {
            rest = p[l] < rest ? p[l] : rest;
            continue;
        }
        float near = assigner_near(a, row, c);
        b->counts.kept++;
        if (is_nearer(a, row, c, near, label, b->w->best[r]))
            near = take(b, i, r, panel / a->bounds.span, c, near);
        other = near < other ? near : other;
    }
    float away = rest < INFINITY ? length_down(rest, e, half) : INFINITY;
    float decided =
        other < INFINITY ? (float)(sqrt(assigner_beyond(a, other)) * (1 - 0x1p-22)) : INFINITY;
    return decided < away ? decided : away;
}

/* p of up to GATHER rows of the block with a panel, the labels' own left out. */
static void score_panel(block *b, const uint16_t *rows, int count, int panel, float *p) {
    const kmeans_assigner *a = b->a;
    const screen_panels *s = &a->panels;
    const void *from[PRODUCT_GATHER];
    float scale[PRODUCT_GATHER];
    int32_t offset[PRODUCT_GATHER];
    for (int q = 0; q < PRODUCT_GATHER; q++) {
        size_t i = b->first + rows[q < count ? q : count - 1];
        from[q] = screen_row(&a->rows, i, b->w->gathered + (size_t)q * a->rows.steps);
        scale[q] = screen_rows_scale(&a->rows, i) * s->scale[panel];
        offset[q] = screen_rows_offset(&a->rows, i);
    }
    const uint32_t *data = s->data + (size_t)panel * LANES * s->steps;
    product_gather(a->rows.type, from, a->rows.steps, data, b->w->block);
    finish(a, b->w->block, scale, offset, s->half + panel * LANES, p);
    for (int q = 0; q < count; q++) {
        int own = s->column[a->bounds.label[b->first + rows[q]]] - panel * LANES;
        if (own >= 0 && own < LANES) p[q * LANES + own] = INFINITY;
    }
}

/* Up to GATHER rows of the block against one panel. length [GATHER]: bounds of their group so far.
 */
static void visit_panel(block *b, const uint16_t *rows, int count, int panel, float *length) {
    const kmeans_assigner *a = b->a;
    const screen_panels *s = &a->panels;
    float p[PRODUCT_GATHER * LANES], least[PRODUCT_GATHER];
    score_panel(b, rows, count, panel, p);
    lanes_least(p, PRODUCT_GATHER, least);
    for (int q = 0; q < count; q++) {
        int r = rows[q];
        size_t i = b->first + (size_t)r;
        float half = a->rows.half[i], away;
        float e = screen_error(&a->rows, i, s->phi[panel], s->reach[panel], s->noise[panel]);
        if ((double)least[q] - (double)e > limit_of(a, b->w->best[r], half))
            away = least[q] < INFINITY ? length_down(least[q], e, half) : INFINITY;
        else
            away = decide(b, i, r, panel, p + q * LANES, e);
        length[q] = away < length[q] ? away : length[q];
    }
}

static void visit_group(block *b, int g, const uint16_t *rows, int count) {
    bounds *s = &b->a->bounds;
    int begin = g * s->span, end = begin + s->span;
    if (end > b->a->panels.panels) end = b->a->panels.panels;
    for (int at = 0; at < count; at += PRODUCT_GATHER) {
        int here = count - at < PRODUCT_GATHER ? count - at : PRODUCT_GATHER;
        float length[PRODUCT_GATHER];
        for (int q = 0; q < here; q++) length[q] = INFINITY;
        for (int v = begin; v < end; v++) visit_panel(b, rows + at, here, v, length);
        for (int q = 0; q < here; q++) bounds_set_lower(s, b->first + rows[at + q], g, length[q]);
    }
}

/* Group by group, the rows that must see it. */
static void visit_groups(block *b) {
    worker *w = b->w;
    int groups = b->a->bounds.groups;
    int32_t *begin = w->begin;
    memset(begin, 0, (size_t)(groups + 1) * sizeof *begin);
    for (int v = 0; v < b->visits; v++) begin[(w->visit[v] & 0xFFFF) + 1]++;
    for (int g = 0; g < groups; g++) begin[g + 1] += begin[g];
    for (int v = 0; v < b->visits; v++)
        w->sorted[begin[w->visit[v] & 0xFFFF]++] = (uint16_t)(w->visit[v] >> 16);
    /* Each entry has become the end of its group. */
    for (int g = 0, from = 0; g < groups; from = begin[g++])
        if (begin[g] > from) visit_group(b, g, w->sorted + from, begin[g] - from);
    b->visits = 0;
}

/* Notes the groups that row i, the block's r-th, must see; false: it is settled. */
static bool open_row(block *b, size_t i, int r) {
    kmeans_assigner *a = b->a;
    bounds *s = &a->bounds;
    worker *w = b->w;
    b->counts.kept++;
    if (bounds_failing(s, i, bounds_upper(s, i), w->fail) == 0) return false;
    /* The distance itself often settles it. */
    w->best[r] = assigner_near(a, features_row(a->x, i, w->scratch), s->label[i]);
    bounds_set_label(s, i, s->label[i], assigner_within(a, w->best[r]));
    if (bounds_failing(s, i, bounds_upper(s, i), w->fail) == 0) return false;
    for (int g = 0; g < s->groups; g++)
        if (w->fail[g]) w->visit[b->visits++] = (uint32_t)r << 16 | (uint32_t)g;
    return true;
}

static void assign_block(block *b, int rows) {
    kmeans_assigner *a = b->a;
    bounds *s = &a->bounds;
    uint8_t *open = b->w->open;
    for (int r = 0; r < rows; r++) open[r] = open_row(b, b->first + (size_t)r, r);
    if (b->visits > 0) visit_groups(b);
    for (int r = 0; r < rows; r++) {
        size_t i = b->first + (size_t)r;
        if (open[r]) bounds_set_label(s, i, s->label[i], assigner_within(a, b->w->best[r]));
        b->counts.changed += a->label[i] != s->label[i];
        a->label[i] = s->label[i];
    }
}

int pruned_rows(int groups) {
    int rows = PRUNED_VISITS / groups;
    return rows < PRUNED_ROWS ? rows : PRUNED_ROWS;
}

void assign_pruned(kmeans_assigner *a, kmeans_counts *counts) {
    size_t room = (size_t)pruned_rows(a->bounds.groups), n = a->x->n;
    int64_t changed = 0, kept = 0, blocks = (int64_t)((n + room - 1) / room);
#pragma omp parallel for num_threads(a->o.threads) schedule(dynamic) reduction(+ : changed, kept)
    for (int64_t t = 0; t < blocks; t++) {
        block b = {.a = a, .w = &a->workers[omp_get_thread_num()], .first = (size_t)t * room};
        assign_block(&b, n - b.first < room ? (int)(n - b.first) : (int)room);
        changed += b.counts.changed;
        kept += b.counts.kept;
    }
    *counts = (kmeans_counts){changed, kept, 1};
}

double pruned_share(const kmeans_assigner *a) {
    const bounds *s = &a->bounds;
    size_t step = s->n / SAMPLE + 1;
    double failing = 0, rows = 0;
    for (size_t i = 0; i < s->n; i += step, rows++)
        failing += bounds_failing(s, i, bounds_upper(s, i), a->workers[0].fail);
    return rows > 0 ? failing / (rows * s->groups) : 0;
}
