/* Bounds of a row's distances, kept from one iteration to the next. Letters: b: the bounds of all
 * rows; i: a row; a: a centroid; g: a group of centroids.
 *
 * A row's lower bounds are multiples, of 16 bits, of a unit of its own, 8/65535 of the distance to
 * its centroid: two bytes a group is what makes them worth their memory, and what is cut off makes
 * a bound looser, never wrong. How far centroids have moved is added up once for all rows (moved,
 * drift), not subtracted from each row's bounds: a pass writes to the rows that it looks at, and
 * to no other. */
#include "src/label/kmeans_bounds.h"

#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/label/kmeans_lanes.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, MOST = 65535 };

/* Few centroids: a panel a group. Many: several, so that a row's bounds stay small. */
static int panels_of_group(int panels) {
    return (panels + BOUNDS_GROUPS - 1) / BOUNDS_GROUPS;
}

static int stride_of(int groups) {
    return (groups + LANES - 1) / LANES * LANES;
}

/* Lower bounds go in rows of whole vectors of sixteen, of which the last may be partly unused. */
status bounds_create(bounds *b, size_t n, int k, int panels) {
    *b = (bounds){.n = n, .k = k, .span = panels_of_group(panels)};
    b->groups = (panels + b->span - 1) / b->span;
    b->stride = stride_of(b->groups);
    size_t stride = (size_t)b->stride;
    b->lower = memory_alloc(n * stride, sizeof *b->lower, "bounds of rows");
    b->label = memory_alloc(n, sizeof *b->label, "labels of rows");
    b->upper = memory_alloc(n, sizeof *b->upper, "bounds of rows");
    b->unit = memory_alloc(n, sizeof *b->unit, "bounds of rows");
    b->moved = memory_alloc((size_t)k + stride, sizeof *b->moved, "moves of centroids");
    b->moved_up = memory_alloc((size_t)k + stride, sizeof *b->moved_up, "moves of centroids");
    if (!b->lower || !b->label || !b->upper || !b->unit || !b->moved || !b->moved_up) {
        bounds_destroy(b);
        return STATUS_FAILED;
    }
    b->drift = b->moved + k;
    b->drift_up = b->moved_up + k;
    return STATUS_OK;
}

void bounds_destroy(bounds *b) {
    memory_free(b->lower);
    memory_free(b->label);
    memory_free(b->upper);
    memory_free(b->unit);
    memory_free(b->moved);
    memory_free(b->moved_up);
    *b = (bounds){0};
}

/* The same shapes as bounds_create, before there are panels. */
size_t bounds_bytes(int k) {
    int panels = (k + PRODUCT_WIDTH - 1) / PRODUCT_WIDTH * PRODUCT_PANELS;
    int span = panels_of_group(panels);
    return (size_t)stride_of((panels + span - 1) / span) * 2 + 10;
}

/* Rows compare in float32: moves are rounded upward once, for all of them. Minus infinity: an
 * unused lane never fails. */
static void round_up(bounds *b) {
    for (int a = 0; a < b->k; a++) b->moved_up[a] = float_up(b->moved[a]);
    for (int g = 0; g < b->stride; g++)
        b->drift_up[g] = g < b->groups ? float_up(b->drift[g]) : -INFINITY;
}

void bounds_reset(bounds *b) {
    memset(b->moved, 0, (size_t)b->k * sizeof *b->moved);
    memset(b->drift, 0, (size_t)b->stride * sizeof *b->drift);
    round_up(b);
}

/* The computed distance is off by less than 2^-38 of itself. The last term covers squares that
 * vanish. */
static double length_up(double square) {
    return sqrt(square) * (1 + 0x1p-36) + 0x1p-1000;
}

/* A group has drifted as far as its fastest centroid. One that stays adds nothing, not even the
 * margin of its length. */
void bounds_move(bounds *b, const screen_panels *p, const float *old, const float *c) {
    size_t d = (size_t)p->d;
    double most[BOUNDS_GROUPS] = {0};
    for (int a = 0; a < b->k; a++) {
        double square = kmeans_distance(old + (size_t)a * d, c + (size_t)a * d, p->d);
        int g = p->column[a] / PRODUCT_PANEL / b->span;
        if (square == 0) continue;
        b->moved[a] += length_up(square);
        most[g] = fmax(most[g], length_up(square));
    }
    for (int g = 0; g < b->groups; g++) b->drift[g] += most[g];
    round_up(b);
}

/* Less what the centroid had moved by then: bounds_upper adds all that it has moved since the
 * reset. */
void bounds_set_label(bounds *b, size_t i, int label, double square) {
    b->label[i] = (uint16_t)label;
    b->upper[i] = float_up(length_up(square) - b->moved[label]);
}

/* Eight times a row's own distance is the longest length that its bounds can hold: farther
 * centroids are held at that, which excludes them as well. A row at its centroid needs a unit,
 * too: part of its length. */
void bounds_set_unit(bounds *b, size_t i, double square, float half) {
    double own = sqrt(square), least = 0x1p-6 * sqrt(2 * (double)half) + 0x1p-60;
    b->unit[i] = (float)((own > least ? own : least) * (8.0 / MOST));
}

/* Whole units, downward. */
static inline uint16_t units(float length, float drift, float inverse) {
    float v = (length + drift) * inverse * (1 - 0x1p-20f);
    return (uint16_t)(v < (float)MOST ? v : (float)MOST);
}

/* What the group has drifted so far is added, as comparing takes all of it off. */
void bounds_set_lower(bounds *b, const size_t *row, int count, int g, const float *length) {
    float drift = (float)b->drift[g] * (1 - 0x1p-23f);
    for (int r = 0; r < count; r++)
        b->lower[row[r] * (size_t)b->stride + (size_t)g] =
            units(length[r], drift, 1 / b->unit[row[r]]);
}

/* Bounds of a group may only fall here: the label that a row has left is one more of its old
 * group's others. */
void bounds_lower(bounds *b, size_t i, int g, double square) {
    float drift = (float)b->drift[g] * (1 - 0x1p-23f);
    uint16_t v = units((float)(sqrt(square) * (1 - 0x1p-22)), drift, 1 / b->unit[i]);
    uint16_t *at = b->lower + i * (size_t)b->stride + g;
    if (v < *at) *at = v;
}

VECTOR_CLONES
void bounds_set_all(bounds *b, size_t i, const float *length) {
    float inverse = 1 / b->unit[i] * (1 - 0x1p-20f);
    uint16_t *to = b->lower + i * (size_t)b->stride;
    for (int g = 0; g < b->stride; g++) {
        /* Set after a reset: nothing has drifted. */
        float v = length[g] * inverse;
        to[g] = (uint16_t)(int)(v < (float)MOST ? v : (float)MOST);
    }
}

int bounds_failing(const bounds *b, size_t i, float upper, uint64_t mask[2]) {
    /* Each side's rounding, and the relative error of distances, within 2^-19. */
    return lanes_failing(b->lower + i * (size_t)b->stride, b->unit[i] * (1 - 0x1p-19f), b->drift_up,
        upper, b->stride, mask);
}
