/* The dense pass: every row against every centroid, in tiles of 48 rows. Letters, as in
 * kmeans_screen.h: p: what the screen computes for a row and a centroid, near (|x-c|^2 - |y|^2)/2;
 * e: the bound of its error; phi, reach, noise: the panel's part of e. Here r: a row of the tile;
 * i: the same row among all; l: a lane of a panel; q: a column that is kept; g: a panel.
 *
 * The p of a tile stay in the cache for three steps: the products, with the least p of each lane;
 * which columns lie within e of the least; and the choice among these, in float32 where its error
 * allows, else by the definition. No distance is stored. */
#include "src/base/pulse.h"
#include "src/base/vector.h"
#include "src/label/kmeans_assigner.h"
#include "src/label/kmeans_lanes.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { LANES = PRODUCT_PANEL };

/* Rows first .. first + rows - 1 into the tile, in slices; what is left of it repeats the last. */
static void fill_tile(const kmeans_assigner *a, worker *w, size_t first, int rows) {
    size_t steps = a->rows.steps;
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        size_t i = first + (size_t)(r < rows ? r : rows - 1);
        const uint32_t *from = screen_row(&a->rows, i, w->gathered);
        uint32_t *to = w->tile + (size_t)r * PRODUCT_STRIDE;
        for (size_t s = 0; s < steps; s += PRODUCT_DEPTH, to += PRODUCT_ROWS * PRODUCT_STRIDE)
            lanes_copy(to, from + s, steps - s < PRODUCT_DEPTH ? steps - s : PRODUCT_DEPTH);
    }
}

/* p of two panels from their products, and the least so far of every lane. */
VECTOR_CLONES
static void finish_float(const kmeans_assigner *a, worker *w, int panel) {
    size_t columns = (size_t)a->panels.panels * PRODUCT_PANEL, at = (size_t)panel * PRODUCT_PANEL;
    const float *half = a->panels.half + at;
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        const product_word *t = w->block + r * PRODUCT_WIDTH;
        float *p = w->score + (size_t)r * columns + at, *least = w->least + r * LANES;
        for (int l = 0; l < LANES; l++) {
            float u = half[l] - t[l].f, v = half[LANES + l] - t[LANES + l].f;
            p[l] = u;
            p[LANES + l] = v;
            u = u < v ? u : v;
            least[l] = u < least[l] ? u : least[l];
        }
    }
}

/* The same from sums of integers. The panels' offset of 128 is taken off before anything is
 * rounded; then a row's and a panel's scale give the product. */
VECTOR_CLONES
static void finish_int8(const kmeans_assigner *a, worker *w, int panel, size_t first, int rows) {
    size_t columns = (size_t)a->panels.panels * PRODUCT_PANEL, at = (size_t)panel * PRODUCT_PANEL;
    const float *half = a->panels.half + at;
    for (int r = 0; r < rows; r++) {
        const product_word *t = w->block + r * PRODUCT_WIDTH;
        float *p = w->score + (size_t)r * columns + at, *least = w->least + r * LANES;
        int32_t offset = a->rows.offset[first + (size_t)r];
        float s0 = a->rows.scale[first + (size_t)r] * a->panels.scale[panel];
        float s1 = a->rows.scale[first + (size_t)r] * a->panels.scale[panel + 1];
        for (int l = 0; l < LANES; l++) {
            float u = half[l] - s0 * (float)(t[l].i - offset);
            float v = half[LANES + l] - s1 * (float)(t[LANES + l].i - offset);
            p[l] = u;
            p[LANES + l] = v;
            u = u < v ? u : v;
            least[l] = u < least[l] ? u : least[l];
        }
    }
}

/* What the next tile will read, fetched a little with every step, so that memory works while the
 * product does. */
typedef struct fetcher {
    const char *at, *end;
    size_t each; /* bytes a step */
} fetcher;

/* From the screen's rows, or where there are none from the rows themselves, spread over the steps
 * of all panels. */
static fetcher fetch_begin(const kmeans_assigner *a, size_t first, size_t steps) {
    const features *x = a->x;
    const char *data = a->rows.data ? (const char *)a->rows.data : x->data;
    size_t stored = (size_t)x->d * dtype_size(x->type), end = first + PRODUCT_ROWS;
    size_t row = a->rows.data ? a->rows.steps * sizeof *a->rows.data : stored;
    if (end > x->n) end = x->n;
    if (first > end) first = end;
    return (fetcher){data + first * row, data + end * row, PRODUCT_ROWS * row / steps + 1};
}

/* For a product of so many steps. */
static product_fetch fetch_next(fetcher *f, size_t steps) {
    product_fetch now = {f->at, f->each};
    if ((size_t)(f->end - f->at) < steps * f->each) return (product_fetch){f->at, 0};
    f->at += steps * f->each;
    return now;
}

/* One slice of all rows with two panels. */
static void multiply_slice(
    const kmeans_assigner *a, worker *w, const uint32_t *panels, size_t s, fetcher *next) {
    size_t steps = a->rows.steps, depth = steps - s < PRODUCT_DEPTH ? steps - s : PRODUCT_DEPTH;
    const uint32_t *tile = w->tile + s / PRODUCT_DEPTH * PRODUCT_ROWS * PRODUCT_STRIDE;
    for (size_t r = 0; r < PRODUCT_ROWS; r += PRODUCT_GROUP)
        product_group(a->rows.type, tile + r * PRODUCT_STRIDE, depth, panels + s * PRODUCT_PANEL,
            steps * PRODUCT_PANEL, w->block + r * PRODUCT_WIDTH, s > 0, fetch_next(next, depth));
}

/* A tile with all panels, two at a time, so that an element of a row is loaded once for both. A
 * long row goes in slices that fit the first cache; sums are finished before the next panels
 * begin. */
static void multiply_tile(const kmeans_assigner *a, worker *w, size_t first, int rows) {
    size_t steps = a->rows.steps, pairs = (size_t)(a->panels.panels / PRODUCT_PANELS);
    fetcher next =
        fetch_begin(a, first + PRODUCT_ROWS, pairs * steps * (PRODUCT_ROWS / PRODUCT_GROUP));
    for (int i = 0; i < PRODUCT_ROWS * LANES; i++) w->least[i] = INFINITY;
    for (int panel = 0; panel < a->panels.panels; panel += PRODUCT_PANELS) {
        const uint32_t *data = a->panels.data + (size_t)panel * steps * PRODUCT_PANEL;
        for (size_t s = 0; s < steps; s += PRODUCT_DEPTH) multiply_slice(a, w, data, s, &next);
        if (a->rows.type == PRODUCT_INT8)
            finish_int8(a, w, panel, first, rows);
        else
            finish_float(a, w, panel);
    }
}

/* w, see kmeans_screen.h. */
static float margin(float upper, float half) {
    return (fabsf(upper) + 2 * half) * 0x1p-36f;
}

/* Of the kept columns those that their panels' own bounds do not exclude either. */
static int refine(const kmeans_assigner *a, size_t i, const float *p, int *kept, int count) {
    const screen_panels *s = &a->panels;
    float upper = INFINITY;
    for (int q = 0; q < count; q++) {
        int g = kept[q] / PRODUCT_PANEL;
        float u = p[kept[q]] + screen_error(&a->rows, i, s->phi[g], s->reach[g], s->noise[g]);
        upper = u < upper ? u : upper;
    }
    float limit = upper + margin(upper, a->rows.half[i]);
    limit += fabsf(limit) * 0x1p-22f;
    int left = 0;
    for (int q = 0; q < count; q++) {
        int g = kept[q] / PRODUCT_PANEL;
        float e = screen_error(&a->rows, i, s->phi[g], s->reach[g], s->noise[g]);
        if (p[kept[q]] - e * (1 + 0x1p-22f) <= limit) kept[left++] = kept[q];
    }
    return left;
}

/* limit [PRODUCT_ROWS]: beyond it no p of a row of the tile is its label's. */
VECTOR_CLONES
static void set_limits(
    const kmeans_assigner *a, const float *least, size_t first, int rows, float *limit) {
    const screen_panels *s = &a->panels;
    const float *norm = a->rows.norm + first, *half = a->rows.half + first;
    const float *rest = a->rows.rest ? a->rows.rest + first : NULL;
    for (int r = 0; r < rows; r++) {
        float e = norm[r] * s->most[0] + s->most[2];
        if (rest) e += rest[r] * s->most[1];
        e *= 1 + 0x1p-20f;
        float upper = least[r] + e, l = upper + (margin(upper, half[r]) + e);
        limit[r] = l + fabsf(l) * 0x1p-21f;
    }
}

/* The columns that row i, the tile's r-th, may belong to. Up to four are decided faster than their
 * own bounds are looked up. */
static int keep(
    const kmeans_assigner *a, const worker *w, size_t i, int r, float limit, int *kept) {
    int panels = a->panels.panels;
    const float *p = w->score + (size_t)r * (size_t)panels * PRODUCT_PANEL;
    int count = lanes_below(p, panels, limit, kept);
    return count > 4 ? refine(a, i, p, kept, count) : count;
}

/* The lowest of the nearest centroids among the kept columns; *near: kmeans_near of it. What
 * float32 cannot tell apart, the definition does. */
static int nearest(const kmeans_assigner *a, const worker *w, const float *row, const int *kept,
    int count, float *near) {
    float least = INFINITY;
    int best = -1, left = 0;
    for (int q = 0; q < count; q++) {
        int c = a->panels.centroid[kept[q]];
        w->near[q] = assigner_near(a, row, c);
        if (w->near[q] < least) least = w->near[q], best = c;
    }
    double limit = assigner_within(a, least), exact = INFINITY;
    for (int q = 0; q < count; q++) left += assigner_beyond(a, w->near[q]) <= limit;
    *near = least;
    if (left == 1) return best;
    for (int q = 0; q < count; q++) {
        if (assigner_beyond(a, w->near[q]) > limit) continue;
        int c = a->panels.centroid[kept[q]];
        double distance = assigner_distance(a, row, c);
        if (distance < exact || (distance == exact && c < best))
            exact = distance, best = c, *near = w->near[q];
    }
    return best;
}

/* From the least p of each panel the length that its centroids are away at least, in place;
 * roundings go downward. */
VECTOR_CLONES
static void lengths(const kmeans_assigner *a, size_t i, float *least) {
    const screen_panels *s = &a->panels;
    float norm = a->rows.norm[i], rest = screen_rows_rest(&a->rows, i);
    float square = 2 * a->rows.half[i] * (1 - 0x1p-22f);
    for (int g = 0; g < s->panels; g++) {
        float e = (norm * s->phi[g] + rest * s->reach[g] + s->noise[g]) * (1 + 0x1p-20f);
        float p = least[g] - e, apart = 2 * p + square;
        apart -= (fabsf(p) + square) * 0x1p-21f;
        float length = apart > 0 ? sqrtf(apart) * (1 - 0x1p-20f) : 0;
        least[g] = least[g] < INFINITY ? length : INFINITY; /* no other centroid in the panel */
    }
}

/* The bounds of row i; destroys its label's own p. */
static void set_bounds(kmeans_assigner *a, worker *w, size_t i, float *p, int label, float near) {
    bounds *b = &a->bounds;
    double distance = assigner_within(a, near);
    int panels = a->panels.panels;
    p[a->panels.column[label]] = INFINITY;
    lanes_least(p, panels, w->length);
    lengths(a, i, w->length);
    for (int g = 0; b->span > 1 && g < b->groups; g++) {
        float least = INFINITY;
        for (int s = g * b->span; s < (g + 1) * b->span && s < panels; s++)
            least = w->length[s] < least ? w->length[s] : least;
        w->length[g] = least;
    }
    for (int g = b->groups; g < b->stride; g++) w->length[g] = INFINITY;
    bounds_set_unit(b, i, distance, a->rows.half[i]);
    bounds_set_label(b, i, label, distance);
    bounds_set_all(b, i, w->length);
}

/* Row i, the tile's r-th, of which `count` columns are left in kept. */
static void decide(kmeans_assigner *a, worker *w, size_t i, int r, const int *kept, int count,
    bool bound, kmeans_counts *counts) {
    size_t columns = (size_t)a->panels.panels * PRODUCT_PANEL;
    int label = a->panels.centroid[kept[0]];
    if (count > 1 || bound) {
        float near;
        label = nearest(a, w, features_row(a->x, i, w->scratch), kept, count, &near);
        if (bound) set_bounds(a, w, i, w->score + (size_t)r * columns, label, near);
    }
    counts->kept += count;
    counts->changed += a->label[i] != label;
    a->label[i] = (uint16_t)label;
}

/* A row is decided when what it needs from memory has had time to come. */
static void decide_tile(
    kmeans_assigner *a, worker *w, size_t first, int rows, size_t every, kmeans_counts *counts) {
    size_t columns = (size_t)a->panels.panels * PRODUCT_PANEL;
    int count[DENSE_AHEAD];
    float least[PRODUCT_ROWS], limit[PRODUCT_ROWS];
    lanes_least(w->least, PRODUCT_ROWS, least);
    set_limits(a, least, first, rows, limit);
    for (int r = 0; r < rows + DENSE_AHEAD; r++) {
        int *kept = w->kept + (size_t)(r % DENSE_AHEAD) * columns, *n = &count[r % DENSE_AHEAD];
        size_t i = first + (size_t)r, before = i - DENSE_AHEAD;
        if (r >= DENSE_AHEAD)
            decide(
                a, w, before, r - DENSE_AHEAD, kept, *n, every > 0 && before % every == 0, counts);
        if (r >= rows) continue;
        *n = keep(a, w, i, r, limit[r], kept);
        if (*n > 1 || every == 1) fetch_row(a->x, i);
    }
}

/* One tile, start to end; the pages of its rows are done with. */
static void assign_tile(
    kmeans_assigner *a, worker *w, size_t first, size_t every, kmeans_counts *counts) {
    size_t left = a->x->n - first;
    int rows = left < PRODUCT_ROWS ? (int)left : PRODUCT_ROWS;
    fill_tile(a, w, first, rows);
    multiply_tile(a, w, first, rows);
    decide_tile(a, w, first, rows, every, counts);
    features_passed(a->x, first, (size_t)rows);
}

/* Tiles are dealt as threads get free: a tile with ties takes much longer than one without. */
void assign_dense(kmeans_assigner *a, size_t every, kmeans_counts *counts) {
    int64_t changed = 0, kept = 0, tiles = (int64_t)((a->x->n + PRODUCT_ROWS - 1) / PRODUCT_ROWS);
    if (every > 0) bounds_reset(&a->bounds);
#pragma omp parallel for num_threads(a->o.threads) schedule(dynamic, 4) reduction(+ : changed, kept)
    for (int64_t t = 0; t < tiles; t++) {
        kmeans_counts here = {0};
        assign_tile(a, &a->workers[omp_get_thread_num()], (size_t)t * PRODUCT_ROWS, every, &here);
        pulse_tick();
        changed += here.changed;
        kept += here.kept;
    }
    features_release(a->x, 0, a->x->n);
    *counts = (kmeans_counts){changed, kept, 1};
}
