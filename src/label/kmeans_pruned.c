/* The pruned pass: rows that their bounds do not settle see the groups of centroids that the
 * bounds leave open. Letters: b: a block of rows, one thread's; r: a row of it; i: the same row
 * among all; h: a chunk, up to eight rows that see one group together; q: a row of the chunk; g: a
 * group; l: a lane of a panel; p, e: what the screen computes for a row and a centroid, and the
 * bound of its error (kmeans_screen.h).
 *
 * One row against one panel waits for memory. So a block's visits are noted first and sorted by
 * group; then a group's rows, from anywhere in the block, are multiplied together. */
#include "src/base/pulse.h"
#include "src/base/vector.h"
#include "src/label/kmeans_assigner.h"
#include "src/label/kmeans_lanes.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { LANES = PRODUCT_PANEL, SAMPLE = 2048, AHEAD = 6 };

/* A block of rows of one thread. */
typedef struct block {
    kmeans_assigner *a;
    worker *w;
    size_t first; /* row */
    int visits;   /* noted so far */
    kmeans_counts counts;
} block;

/* Up to GATHER rows of a block that see one group together; what is left repeats the last. */
typedef struct chunk {
    int count;
    int r[PRODUCT_GATHER]; /* of the block */
    size_t row[PRODUCT_GATHER];
    const void *from[PRODUCT_GATHER];
    float scale[PRODUCT_GATHER], norm[PRODUCT_GATHER], rest[PRODUCT_GATHER], half[PRODUCT_GATHER];
    int32_t offset[PRODUCT_GATHER];
    float limit[PRODUCT_GATHER];  /* no centroid with p - e beyond it is the label, nor ties */
    float length[PRODUCT_GATHER]; /* lower bound of the group's others, so far */
} chunk;

/* p of gathered rows from their products; unit: the panel's. */
VECTOR_CLONES
static void finish(const kmeans_assigner *a, const product_word *t, const chunk *h, float unit,
    const float *half, float *p) {
    if (a->rows.type == PRODUCT_INT8)
        for (int r = 0; r < PRODUCT_GATHER; r++)
            for (int l = 0; l < LANES; l++)
                p[r * LANES + l] =
                    half[l] - h->scale[r] * unit * (float)(t[r * LANES + l].i - h->offset[r]);
    else
        for (int i = 0; i < PRODUCT_GATHER * LANES; i++) p[i] = half[i % LANES] - t[i].f;
}

/* The length that p - e says a centroid is away at least. */
static inline __attribute__((always_inline)) float length_down(float p, float e, float half) {
    float square = 2 * half * (1 - 0x1p-22f), g = p - e, apart = 2 * g + square;
    apart -= (fabsf(g) + square) * 0x1p-21f;
    return sqrtf(apart > 0 ? apart : 0) * (1 - 0x1p-20f);
}

/* e [GATHER]: the bounds of the errors; away: what the least p says; returns the rows, as bits,
 * that may have a nearer centroid in the panel. */
VECTOR_CLONES
static unsigned judge(
    const chunk *h, const screen_panels *s, int panel, const float *least, float *e, float *away) {
    float phi = s->phi[panel], reach = s->reach[panel], noise = s->noise[panel];
    unsigned open[PRODUCT_GATHER], mask = 0;
    for (int q = 0; q < PRODUCT_GATHER; q++) {
        e[q] = (h->norm[q] * phi + h->rest[q] * reach + noise) * (1 + 0x1p-20f);
        float g = (least[q] - e[q]) - fabsf(least[q]) * 0x1p-22f;
        open[q] = !(g > h->limit[q]);
        float p = least[q] < 0x1p126f ? least[q] : 0x1p100f; /* no other centroid: far away */
        away[q] = length_down(p, e[q], h->half[q]);
    }
    for (int q = 0; q < PRODUCT_GATHER; q++) mask |= open[q] << q;
    return mask;
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
static float limit_of(const kmeans_assigner *a, float near, float half) {
    return float_up(assigner_within(a, near) * (0.5 + 0x1p-37) - (double)half * (1 - 0x1p-22));
}

/* Is centroid c, at `near`, the row's label rather than `label`, at `best`? */
static bool is_nearer(
    const kmeans_assigner *a, const float *row, int c, float near, int label, float best) {
    if (assigner_beyond(a, near) > assigner_within(a, best)) return false;
    if (assigner_within(a, near) < assigner_beyond(a, best)) return true;
    double exact = assigner_distance(a, row, c), least = assigner_distance(a, row, label);
    return exact < least || (exact == least && c < label);
}

/* Decides between the label of the chunk's q-th row and the columns of a panel of group g that may
 * be nearer. Returns a lower bound of the length to all others. */
static float decide(block *b, chunk *h, int q, int panel, const float *p, float e) {
    kmeans_assigner *a = b->a;
    size_t i = h->row[q];
    int r = h->r[q];
    const float *row = features_row(a->x, i, b->w->scratch);
    float rest = INFINITY, other = INFINITY;
    for (int l = 0; l < LANES; l++) {
        int c = a->panels.centroid[panel * LANES + l], label = a->bounds.label[i];
        if (p[l] == INFINITY) continue;
        if ((double)p[l] - (double)e > (double)h->limit[q]) {
            rest = p[l] < rest ? p[l] : rest;
            continue;
        }
        float near = assigner_near(a, row, c);
        b->counts.kept++;
        if (is_nearer(a, row, c, near, label, b->w->best[r])) {
            near = take(b, i, r, panel / a->bounds.span, c, near);
            h->limit[q] = b->w->limit[r] = limit_of(a, b->w->best[r], h->half[q]);
        }
        other = near < other ? near : other;
    }
    float away = rest < INFINITY ? length_down(rest, e, h->half[q]) : INFINITY;
    float decided =
        other < INFINITY ? (float)(sqrt(assigner_beyond(a, other)) * (1 - 0x1p-22)) : INFINITY;
    return decided < away ? decided : away;
}

/* What a product of these rows and its judgement read, side by side. A chunk is always full: the
 * last row again, whose results nobody looks at, costs less than loops of another length. */
static void gather_chunk(block *b, const uint16_t *rows, int count, chunk *h) {
    const screen_rows *s = &b->a->rows;
    h->count = count;
    for (int q = 0; q < PRODUCT_GATHER; q++) {
        int r = rows[q < count ? q : count - 1];
        size_t i = b->first + (size_t)r;
        h->r[q] = r;
        h->row[q] = i;
        h->from[q] = screen_row(s, i, b->w->gathered + (size_t)q * s->steps);
        h->scale[q] = screen_rows_scale(s, i);
        h->offset[q] = screen_rows_offset(s, i);
        h->norm[q] = s->norm[i];
        h->rest[q] = screen_rows_rest(s, i);
        h->half[q] = s->half[i];
        h->limit[q] = b->w->limit[r];
        h->length[q] = INFINITY;
    }
}

/* One panel of the group for the rows of a chunk. A row's own centroid is left out, so that what
 * remains is about the others: is one of them nearer, and how far are they at least? */
static void visit_panel(block *b, chunk *h, int panel) {
    const kmeans_assigner *a = b->a;
    const screen_panels *s = &a->panels;
    float p[PRODUCT_GATHER * LANES], least[PRODUCT_GATHER];
    float e[PRODUCT_GATHER], away[PRODUCT_GATHER];
    const uint32_t *data = s->data + (size_t)panel * LANES * s->steps;
    product_gather(a->rows.type, h->from, a->rows.steps, data, b->w->block);
    finish(a, b->w->block, h, s->scale[panel], s->half + panel * LANES, p);
    for (int q = 0; q < h->count; q++) {
        int own = s->column[a->bounds.label[h->row[q]]] - panel * LANES;
        if (own >= 0 && own < LANES) p[q * LANES + own] = INFINITY;
    }
    lanes_least(p, PRODUCT_GATHER, least);
    unsigned open = judge(h, s, panel, least, e, away) & ((1u << h->count) - 1);
    for (; open; open &= open - 1) {
        int q = __builtin_ctz(open);
        away[q] = decide(b, h, q, panel, p + q * LANES, e[q]);
    }
    for (int q = 0; q < PRODUCT_GATHER; q++)
        h->length[q] = away[q] < h->length[q] ? away[q] : h->length[q];
}

/* The lower bound of the group is set from all of its panels: it is about the group. */
static void visit_group(block *b, int g, const uint16_t *rows, int count) {
    bounds *s = &b->a->bounds;
    int begin = g * s->span, end = begin + s->span;
    if (end > b->a->panels.panels) end = b->a->panels.panels;
    for (int at = 0; at < count; at += PRODUCT_GATHER) {
        chunk h;
        gather_chunk(b, rows + at, count - at < PRODUCT_GATHER ? count - at : PRODUCT_GATHER, &h);
        for (int v = begin; v < end; v++) visit_panel(b, &h, v);
        bounds_set_lower(s, h.row, h.count, g, h.length);
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

/* Row and group in one word, as visits are sorted by group afterwards. */
static void note_visits(block *b, int r, const uint64_t *mask) {
    for (int half = 0; half < 2; half++)
        for (uint64_t m = mask[half]; m; m &= m - 1)
            b->w->visit[b->visits++] =
                (uint32_t)r << 16 | (uint32_t)(64 * half + __builtin_ctzll(m));
}

/* The rows that are not settled; their distances, which often settle them; the groups that they
 * must see. Returns how many. */
static int open_rows(block *b, int rows) {
    kmeans_assigner *a = b->a;
    bounds *s = &a->bounds;
    worker *w = b->w;
    uint64_t mask[2];
    int open = 0, left = 0;
    for (int r = 0; r < rows; r++) {
        size_t i = b->first + (size_t)r;
        if (bounds_failing(s, i, bounds_upper(s, i), mask)) w->open[open++] = (uint16_t)r;
    }
    for (int q = 0; q < open && q < AHEAD; q++) fetch_row(a->x, b->first + w->open[q]);
    for (int q = 0; q < open; q++) {
        int r = w->open[q];
        size_t i = b->first + (size_t)r;
        if (q + AHEAD < open) fetch_row(a->x, b->first + w->open[q + AHEAD]);
        w->best[r] = assigner_near(a, features_row(a->x, i, w->scratch), s->label[i]);
        bounds_set_label(s, i, s->label[i], assigner_within(a, w->best[r]));
        if (!bounds_failing(s, i, bounds_upper(s, i), mask)) continue;
        w->limit[r] = limit_of(a, w->best[r], a->rows.half[i]);
        note_visits(b, r, mask);
        w->open[left++] = (uint16_t)r;
    }
    return left;
}

/* The rows of a block: what bounds settle is settled; the rest see their groups; then labels and
 * bounds are noted. The distance to the label of the end is the last one computed: only then is
 * its bound set. */
static void assign_block(block *b, int rows) {
    kmeans_assigner *a = b->a;
    bounds *s = &a->bounds;
    b->counts.kept += rows;
    int open = open_rows(b, rows);
    if (b->visits > 0) visit_groups(b);
    for (int q = 0; q < open; q++) {
        int r = b->w->open[q];
        size_t i = b->first + (size_t)r;
        bounds_set_label(s, i, s->label[i], assigner_within(a, b->w->best[r]));
    }
    for (size_t i = b->first; i < b->first + (size_t)rows; i++) {
        b->counts.changed += a->label[i] != s->label[i];
        a->label[i] = s->label[i];
    }
    features_passed(a->x, b->first, (size_t)rows);
}

/* As many that every pair of a row and a group can be noted: no list can overflow. */
int pruned_rows(int groups) {
    int rows = PRUNED_VISITS / groups;
    return rows < PRUNED_ROWS ? rows : PRUNED_ROWS;
}

/* Blocks are dealt as threads get free: some have many open rows, most have few. */
void assign_pruned(kmeans_assigner *a, kmeans_counts *counts) {
    size_t most = (size_t)pruned_rows(a->bounds.groups), n = a->x->n;
    int64_t changed = 0, kept = 0, blocks = (int64_t)((n + most - 1) / most);
#pragma omp parallel for num_threads(a->o.threads) schedule(dynamic) reduction(+ : changed, kept)
    for (int64_t t = 0; t < blocks; t++) {
        block b = {.a = a, .w = &a->workers[omp_get_thread_num()], .first = (size_t)t * most};
        assign_block(&b, n - b.first < most ? (int)(n - b.first) : (int)most);
        pulse_tick();
        changed += b.counts.changed;
        kept += b.counts.kept;
    }
    features_release(a->x, 0, n);
    *counts = (kmeans_counts){changed, kept, 1};
}

size_t pruned_sample(size_t n) {
    return n / SAMPLE + 1;
}

/* Of a sample, by bounds alone: no row is read. */
double pruned_share(const kmeans_assigner *a) {
    const bounds *s = &a->bounds;
    size_t step = pruned_sample(s->n);
    double failing = 0, rows = 0;
    for (size_t i = 0; i < s->n; i += step, rows++) {
        uint64_t mask[2];
        bounds_failing(s, i, bounds_upper(s, i), mask);
        failing += __builtin_popcountll(mask[0]) + __builtin_popcountll(mask[1]);
    }
    return rows > 0 ? failing / (rows * s->groups) : 0;
}
