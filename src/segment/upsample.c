/* Bilinear upsampling by rows. A network of stride 8 has 64 times fewer logits than the image has
 * pixels: the large map, [H, W, K], is never stored. Two input rows are widened to the output's
 * width and kept; each output row between them is a blend of the two. The loss goes back the same
 * way, so that a gradient, too, needs two wide rows only.
 *
 * Rows are held class by class, [K, W]: a loop over pixels is then a loop over neighbours, which
 * compilers turn into vector code; a loop over the classes of one pixel is too short for that. */
#include "src/segment/upsample.h"

#include "src/base/exponential.h"
#include "src/base/memory.h"
#include "src/base/vector.h"

#include <string.h>

static void axis_destroy(axis *a) {
    memory_free(a->low);
    memory_free(a->high);
    memory_free(a->weight);
}

/* As align_corners=False has it: centres of pixels correspond, and what lies outside of the outer
 * centres is theirs. Positions are in double, and a weight is rounded once. At the lower end the
 * last input stands for both sides, so that any weight gives it. */
static status axis_create(axis *out, int inputs, int outputs) {
    axis a = {.low = memory_alloc((size_t)outputs, sizeof *a.low, "upsampling"),
        .high = memory_alloc((size_t)outputs, sizeof *a.high, "upsampling"),
        .weight = memory_alloc((size_t)outputs, sizeof *a.weight, "upsampling")};
    if (!a.low || !a.high || !a.weight) {
        axis_destroy(&a);
        return STATUS_FAILED;
    }
    for (int i = 0; i < outputs; i++) {
        double at = (i + 0.5) * inputs / outputs - 0.5;
        if (at < 0) at = 0;
        int low = (int)at;
        if (low > inputs - 1) low = inputs - 1;
        a.low[i] = low;
        a.high[i] = low + 1 < inputs ? low + 1 : low;
        a.weight[i] = (float)(at - low);
    }
    *out = a;
    return STATUS_OK;
}

status upsample_create(upsample *out, const logit_map *in, int height, int width) {
    upsample u = {.in = *in, .height = height, .width = width, .held = {-1, -1}};
    size_t floats = (size_t)in->classes * (size_t)width;
    status st = axis_create(&u.y, in->h, height);
    if (st == STATUS_OK) st = axis_create(&u.x, in->w, width);
    for (int i = 0; i < 2 && st == STATUS_OK; i++) {
        u.wide[i] = memory_alloc(floats, sizeof(float), "upsampling");
        if (!u.wide[i]) st = STATUS_FAILED;
    }
    if (st == STATUS_OK)
        *out = u;
    else
        upsample_destroy(&u);
    return st;
}

void upsample_destroy(upsample *u) {
    axis_destroy(&u->y);
    axis_destroy(&u->x);
    memory_free(u->wide[0]);
    memory_free(u->wide[1]);
}

/* An input row [w, K] to the output's width, and turned to [K, W]. Both steps at once: classes of
 * one pixel are walked here and in upsample_narrow alone, once an input row, not once an output
 * row. */
static void widen(const upsample *u, int row, float *wide) {
    size_t classes = (size_t)u->in.classes, width = (size_t)u->width;
    const float *in = u->in.data + (size_t)row * (size_t)u->in.w * classes;
    for (size_t k = 0; k < classes; k++) {
        for (size_t x = 0; x < width; x++) {
            float low = in[(size_t)u->x.low[x] * classes + k];
            float high = in[(size_t)u->x.high[x] * classes + k];
            wide[k * width + x] = (1 - u->x.weight[x]) * low + u->x.weight[x] * high;
        }
    }
}

/* Vertically, all classes of a row in one loop. */
VECTOR_CLONES static void blend(
    const float *low, const float *high, float weight, size_t n, float *out) {
    float rest = 1 - weight;
    for (size_t i = 0; i < n; i++) out[i] = rest * low[i] + weight * high[i];
}

void upsample_row(upsample *u, int y, float *out) {
    /* One row further down, what was the lower row is the upper one: it is not widened again. */
    int need[2] = {u->y.low[y], u->y.high[y]};
    if (u->held[0] != need[0] && u->held[1] == need[0]) {
        float *swap = u->wide[0];
        u->wide[0] = u->wide[1];
        u->wide[1] = swap;
        u->held[1] = u->held[0];
        u->held[0] = need[0];
    }
    for (int i = 0; i < 2; i++) {
        if (u->held[i] == need[i]) continue;
        widen(u, need[i], u->wide[i]);
        u->held[i] = need[i];
    }
    blend(u->wide[0], u->wide[1], u->y.weight[y], (size_t)u->in.classes * (size_t)u->width, out);
}

/* A scatter: outputs that share an input add to it in ascending order, one order on every rank. */
void upsample_narrow(const upsample *u, const float *wide, float *gradient) {
    size_t classes = (size_t)u->in.classes, width = (size_t)u->width;
    for (size_t k = 0; k < classes; k++) {
        for (size_t x = 0; x < width; x++) {
            float g = wide[k * width + x], high = u->x.weight[x];
            gradient[(size_t)u->x.low[x] * classes + k] += (1 - high) * g;
            gradient[(size_t)u->x.high[x] * classes + k] += high * g;
        }
    }
}

/* Comparisons with NaN are false: one in class 0 stays the largest, one in another class is passed
 * over. Either way its exponential is NaN, and so is the sum. */
VECTOR_CLONES void pixels_largest(const float *logits, int classes, int n, float *largest) {
    memcpy(largest, logits, (size_t)n * sizeof *largest);
    for (int k = 1; k < classes; k++) {
        const float *row = logits + (size_t)k * (size_t)n;
        for (int x = 0; x < n; x++) largest[x] = row[x] > largest[x] ? row[x] : largest[x];
    }
}

/* Of differences to the largest, none of which is above 0: no overflow, and at least one term of
 * each sum is 1. Classes are added in their order, for each pixel alone: its sum does not depend on
 * the pixels beside it. */
VECTOR_CLONES void pixels_exponentials(
    float *logits, int classes, int n, const float *largest, float *sum) {
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int k = 0; k < classes; k++) {
        float *row = logits + (size_t)k * (size_t)n;
        for (int x = 0; x < n; x++) {
            float e = exponential(row[x] - largest[x]);
            row[x] = e;
            sum[x] += e;
        }
    }
}
