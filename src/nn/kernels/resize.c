/* Bilinear interpolation and its adjoint. The adjoint adds to up to four inputs an output: one
 * thread, in the outputs' order, into fp32.
 *
 * Forward, rows of outputs are computed by themselves and can be shared out. Both directions take
 * positions and weights from the same function, so that one is the transpose of the other to the
 * bit. */
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes32.h"
#include "src/nn/kernels/layers.h"

#include <string.h>

/* Between which two positions of the input an output lies, and how near the second one. */
typedef struct tap {
    int first, second;
    float weight; /* of the second */
} tap;

/* PyTorch's align_corners=False: centres of pixels are aligned, and what lies outside is clamped.
 * At the end both positions are the last one, and the weight has no effect. */
static tap tap_of(int out, int out_size, int in_size) {
    float x = ((float)out + 0.5f) * (float)in_size / (float)out_size - 0.5f;
    if (x < 0) x = 0;
    tap t = {.first = (int)x};
    if (t.first > in_size - 1) t.first = in_size - 1;
    t.second = t.first + 1 < in_size ? t.first + 1 : t.first;
    t.weight = x - (float)t.first;
    return t;
}

static size_t at(const layer_shape *s, int row, int column, int width) {
    return ((size_t)row * (size_t)width + (size_t)column) * (size_t)s->channels;
}

/* The four inputs of an output pixel and their weights. */
typedef struct corners {
    size_t at[4];
    float weight[4];
} corners;

static corners corners_of(const layer_shape *s, tap r, int j) {
    tap c = tap_of(j, s->out_width, s->in_width);
    return (corners){
        .at = {at(s, r.first, c.first, s->in_width), at(s, r.first, c.second, s->in_width),
            at(s, r.second, c.first, s->in_width), at(s, r.second, c.second, s->in_width)},
        .weight = {(1 - r.weight) * (1 - c.weight), (1 - r.weight) * c.weight,
            r.weight * (1 - c.weight), r.weight * c.weight}};
}

/* Channels c .. c + count - 1 of the output pixel that begins at element `to`; always four corners
 * in one order, also where some of them coincide. */
ROW_INLINE void blend(
    corners k, const void *x, void *y, size_t to, size_t c, size_t count, dtype t) {
    lanes32 sum = {{{0}, {0}}};
    for (int i = 0; i < 4; i++) {
        lanes32 a = lanes32_load(x, k.at[i] + c, count, t);
        LANES32_LOOP sum.v[h] += k.weight[i] * a.v[h];
    }
    lanes32_store(y, to + c, count, sum, t);
}

ROW_INLINE void resize(const layer_shape *s, layer_part part, const void *x, void *y, dtype t) {
    size_t n = (size_t)s->channels, c;
    for (int i = part.begin; i < part.end; i++) {
        tap row = tap_of(i, s->out_height, s->in_height);
        for (int j = 0; j < s->out_width; j++) {
            corners k = corners_of(s, row, j);
            size_t to = at(s, i, j, s->out_width);
            for (c = 0; c + LANES32 <= n; c += LANES32) blend(k, x, y, to, c, LANES32, t);
            if (c < n) blend(k, x, y, to, c, n - c, t);
        }
    }
}

VECTOR_CLONES void layer_resize(const layer_shape *s, layer_part part, const void *x, void *y) {
    ROW_TYPED(s->type, resize, s, part, x, y);
}

/* One corner after the other: they may be the same pixel. work [in pixels, C] has been cleared. In
 * fp32 also for maps in bf16: an input is added to many times, and would be rounded each time. */
ROW_INLINE void give(const layer_shape *s, const void *dy, float *work, dtype t) {
    size_t n = (size_t)s->channels;
    for (int i = 0; i < s->out_height; i++) {
        tap row = tap_of(i, s->out_height, s->in_height);
        for (int j = 0; j < s->out_width; j++) {
            corners k = corners_of(s, row, j);
            size_t from = at(s, i, j, s->out_width);
            for (int q = 0; q < 4; q++) {
                float *to = work + k.at[q], weight = k.weight[q];
                if (weight == 0) continue;
                ROW_LOOP
                for (size_t c = 0; c < n; c++) to[c] += weight * row_get(dy, from + c, t);
            }
        }
    }
}

VECTOR_CLONES void layer_resize_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add, float *work) {
    size_t elements = at(s, s->in_height, 0, s->in_width);
    memset(work, 0, elements * sizeof *work);
    ROW_TYPED(s->type, give, s, dy, work);
    layer_take_float(work, dx, elements, add, s->type);
}
