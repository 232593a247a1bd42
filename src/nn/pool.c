#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Positions from .. to - 1 of an axis. */
typedef struct span {
    int from, to;
} span;

static int most(int a, int b) {
    return a > b ? a : b;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* The inputs of an output. */
static span inputs_of(const layer_shape *s, int out, int size) {
    int begin = out * s->stride - s->padding;
    return (span){most(begin, 0), least(begin + s->kernel, size)};
}

/* The outputs that an input is part of. */
static span outputs_of(const layer_shape *s, int in, int size) {
    int end = in + s->padding, begin = end - s->kernel + s->stride;
    return (span){begin > 0 ? begin / s->stride : 0, least(end / s->stride + 1, size)};
}

/* The kernel's position of input (i, j) for output (row, column). */
static int position(const layer_shape *s, int i, int j, int row, int column) {
    int down = i + s->padding - row * s->stride, right = j + s->padding - column * s->stride;
    return down * s->kernel + right;
}

static size_t at(const layer_shape *s, int row, int column, int width) {
    return ((size_t)row * (size_t)width + (size_t)column) * (size_t)s->channels;
}

/* ---- forward: output (i, j), m channels from c0 on ---- */

/* The first largest, as PyTorch. */
ROW_INLINE void largest(const layer_shape *s, const void *x, void *y, uint8_t *index,
    const int out[2], size_t c0, size_t m, dtype t) {
    float best[ROW];
    int32_t where[ROW];
    span rows = inputs_of(s, out[0], s->in_height), columns = inputs_of(s, out[1], s->in_width);
    for (size_t c = 0; c < m; c++) best[c] = -INFINITY;
    for (size_t c = 0; c < m; c++) where[c] = 0;
    for (int i = rows.from; i < rows.to; i++)
        for (int j = columns.from; j < columns.to; j++) {
            int32_t here = position(s, i, j, out[0], out[1]);
            size_t from = at(s, i, j, s->in_width) + c0;
            for (size_t c = 0; c < m; c++) {
                float v = row_get(x, from + c, t);
                where[c] = v > best[c] ? here : where[c];
                best[c] = v > best[c] ? v : best[c];
            }
        }
    size_t to = at(s, out[0], out[1], s->out_width) + c0;
    for (size_t c = 0; c < m; c++) row_put(y, to + c, best[c], t);
    for (size_t c = 0; index && c < m; c++) index[to + c] = (uint8_t)where[c];
}

ROW_INLINE void average(
    const layer_shape *s, const void *x, void *y, const int out[2], size_t c0, size_t m, dtype t) {
    float sum[ROW] = {0}, scale = 1.0f / (float)(s->kernel * s->kernel);
    span rows = inputs_of(s, out[0], s->in_height), columns = inputs_of(s, out[1], s->in_width);
    for (int i = rows.from; i < rows.to; i++)
        for (int j = columns.from; j < columns.to; j++) {
            size_t from = at(s, i, j, s->in_width) + c0;
            for (size_t c = 0; c < m; c++) sum[c] += row_get(x, from + c, t);
        }
    size_t to = at(s, out[0], out[1], s->out_width) + c0;
    for (size_t c = 0; c < m; c++) row_put(y, to + c, sum[c] * scale, t);
}

VECTOR_CLONES void layer_max_pool(const layer_shape *s, const void *x, void *y, uint8_t *index) {
    assert(s->kernel * s->kernel <= UINT8_MAX);
    size_t n = (size_t)s->channels;
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++)
            for (size_t c0 = 0; c0 < n; c0 += ROW)
                ROW_TYPED(s->type, largest, s, x, y, index, (const int[2]){i, j}, c0,
                    n - c0 < ROW ? n - c0 : ROW);
}

VECTOR_CLONES void layer_average_pool(const layer_shape *s, const void *x, void *y) {
    size_t n = (size_t)s->channels;
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++)
            for (size_t c0 = 0; c0 < n; c0 += ROW)
                ROW_TYPED(s->type, average, s, x, y, (const int[2]){i, j}, c0,
                    n - c0 < ROW ? n - c0 : ROW);
}

/* ---- backward: what input (i, j) receives from the outputs that it is part of ---- */

/* Of all of them, where index is NULL; else of those whose largest it was. */
ROW_INLINE void receive(const layer_shape *s, const void *dy, const uint8_t *index, void *dx,
    bool add, const int in[2], size_t c0, size_t m, dtype t) {
    float sum[ROW], scale = index ? 1.0f : 1.0f / (float)(s->kernel * s->kernel);
    span rows = outputs_of(s, in[0], s->out_height), columns = outputs_of(s, in[1], s->out_width);
    memset(sum, 0, m * sizeof *sum);
    for (int i = rows.from; i < rows.to; i++)
        for (int j = columns.from; j < columns.to; j++) {
            uint8_t here = (uint8_t)position(s, in[0], in[1], i, j);
            size_t from = at(s, i, j, s->out_width) + c0;
            for (size_t c = 0; c < m; c++) {
                float g = row_get(dy, from + c, t);
                sum[c] += !index || index[from + c] == here ? g : 0.0f;
            }
        }
    size_t to = at(s, in[0], in[1], s->in_width) + c0;
    ROW_LOOP
    for (size_t c = 0; c < m; c++)
        row_put(dx, to + c, (add ? row_get(dx, to + c, t) : 0.0f) + scale * sum[c], t);
}

VECTOR_CLONES void layer_max_pool_gradient(
    const layer_shape *s, const void *dy, const uint8_t *index, void *dx, bool add) {
    size_t n = (size_t)s->channels;
    for (int i = 0; i < s->in_height; i++)
        for (int j = 0; j < s->in_width; j++)
            for (size_t c0 = 0; c0 < n; c0 += ROW)
                ROW_TYPED(s->type, receive, s, dy, index, dx, add, (const int[2]){i, j}, c0,
                    n - c0 < ROW ? n - c0 : ROW);
}

VECTOR_CLONES void layer_average_pool_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add) {
    size_t n = (size_t)s->channels;
    for (int i = 0; i < s->in_height; i++)
        for (int j = 0; j < s->in_width; j++)
            for (size_t c0 = 0; c0 < n; c0 += ROW)
                ROW_TYPED(s->type, receive, s, dy, NULL, dx, add, (const int[2]){i, j}, c0,
                    n - c0 < ROW ? n - c0 : ROW);
}

/* ---- the mean of all pixels ---- */

ROW_INLINE void mean(const layer_shape *s, const void *x, void *y, size_t c0, size_t m, dtype t) {
    double sum[ROW] = {0};
    size_t pixels = (size_t)s->in_height * (size_t)s->in_width, n = (size_t)s->channels;
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < m; c++) sum[c] += row_get(x, i * n + c0 + c, t);
    for (size_t c = 0; c < m; c++) row_put(y, c0 + c, (float)(sum[c] / (double)pixels), t);
}

VECTOR_CLONES void layer_global_pool(const layer_shape *s, const void *x, void *y) {
    size_t n = (size_t)s->channels;
    for (size_t c0 = 0; c0 < n; c0 += ROW)
        ROW_TYPED(s->type, mean, s, x, y, c0, n - c0 < ROW ? n - c0 : ROW);
}

ROW_INLINE void spread(const layer_shape *s, const void *dy, void *dx, bool add, dtype t) {
    size_t pixels = (size_t)s->in_height * (size_t)s->in_width, n = (size_t)s->channels;
    for (size_t i = 0; i < pixels; i++) ROW_LOOP
    for (size_t c = 0; c < n; c++) {
        float g = row_get(dy, c, t) / (float)pixels;
        row_put(dx, i * n + c, add ? row_get(dx, i * n + c, t) + g : g, t);
    }
}

VECTOR_CLONES void layer_global_pool_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add) {
    ROW_TYPED(s->type, spread, s, dy, dx, add);
}
