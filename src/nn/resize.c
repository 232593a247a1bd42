#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

#include <string.h>

/* Between which two positions of the input an output lies, and how near the second one. */
typedef struct tap {
    int first, second;
    float weight; /* of the second */
} tap;

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

static corners corners_of(const layer_shape *s, int i, int j) {
    tap r = tap_of(i, s->out_height, s->in_height), c = tap_of(j, s->out_width, s->in_width);
    return (corners){
        .at = {at(s, r.first, c.first, s->in_width), at(s, r.first, c.second, s->in_width),
            at(s, r.second, c.first, s->in_width), at(s, r.second, c.second, s->in_width)},
        .weight = {(1 - r.weight) * (1 - c.weight), (1 - r.weight) * c.weight,
            r.weight * (1 - c.weight), r.weight * c.weight}};
}

ROW_INLINE void resize(
    const corners *k, const void *x, void *y, size_t to, size_t channels, dtype t) {
    ROW_LOOP
    for (size_t c = 0; c < channels; c++) {
        float v = k->weight[0] * row_get(x, k->at[0] + c, t);
        v += k->weight[1] * row_get(x, k->at[1] + c, t);
        v += k->weight[2] * row_get(x, k->at[2] + c, t);
        v += k->weight[3] * row_get(x, k->at[3] + c, t);
        row_put(y, to + c, v, t);
    }
}

VECTOR_CLONES void layer_resize(const layer_shape *s, const void *x, void *y) {
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            corners k = corners_of(s, i, j);
            ROW_TYPED(s->type, resize, &k, x, y, at(s, i, j, s->out_width), (size_t)s->channels);
        }
}

/* One corner after the other: they may be the same pixel. */
ROW_INLINE void give(
    const corners *k, const void *dy, size_t from, float *work, size_t channels, dtype t) {
    for (int i = 0; i < 4; i++) {
        float *to = work + k->at[i], weight = k->weight[i];
        ROW_LOOP
        for (size_t c = 0; c < channels; c++) to[c] += weight * row_get(dy, from + c, t);
    }
}

VECTOR_CLONES void layer_resize_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add, float *work) {
    size_t elements = at(s, s->in_height, 0, s->in_width);
    memset(work, 0, elements * sizeof *work);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            corners k = corners_of(s, i, j);
            ROW_TYPED(s->type, give, &k, dy, at(s, i, j, s->out_width), work, (size_t)s->channels);
        }
    layer_take_float(work, dx, elements, add, s->type);
}
