/* Pools: each output, or backward each input, is computed by itself from its neighbours, so that
 * rows can be shared out without two threads adding to one element.
 *
 * The usual backward loop, from outputs to inputs, would add to inputs that neighbouring windows
 * share. A maximum keeps its position as a byte: windows are at most 15 x 15.
 *
 * A part is rows of what is written: of y forward, of dx backward. Sums run over a window row by
 * row, in fp32, whoever computes them; the mean of all pixels alone is summed in float64, for it
 * has thousands of terms. */
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes32.h"
#include "src/nn/kernels/layers.h"

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

/* Element 0 of a pixel of a map that is `width` pixels wide: the input or the output, the channels
 * are as many. */
static size_t at(const layer_shape *s, int row, int column, int width) {
    return ((size_t)row * (size_t)width + (size_t)column) * (size_t)s->channels;
}

/* Of bf16 the lanes are even and odd channels: two halves of a word. Positions are found as 32-bit
 * lanes, to be masked like the values that they belong to, and stored as bytes, `count` of them, in
 * the order of the channels. */
ROW_INLINE void put_positions(uint8_t *index, const lanes_bits where[2], size_t count, dtype t) {
    uint16_t half[LANES32];
    uint8_t all[LANES32];
    lanes_bits words = where[0] | where[1] << 16;
    lanes_half first = __builtin_convertvector(where[0], lanes_half);
    lanes_half second = __builtin_convertvector(where[1], lanes_half);
    if (t == DTYPE_F32) {
        memcpy(half, &first, sizeof first);
        memcpy(half + LANES, &second, sizeof second);
    } else {
        memcpy(half, &words, sizeof words);
    }
    for (size_t c = 0; c < LANES32; c++) all[c] = (uint8_t)half[c];
    memcpy(index, all, count);
}

/* Some channels, from c on, of pixel (i, j) of what is written. */
typedef struct spot {
    int i, j;
    size_t c;
} spot;

/* ---- forward: a spot of the output ---- */

/* The first largest, or the last that is no number, as PyTorch. `where` begins with position 0, so
 * that a window without any number larger than minus infinity has a position, too. */
ROW_INLINE void largest(
    const layer_shape *s, const void *x, void *y, uint8_t *index, spot o, size_t count, dtype t) {
    span rows = inputs_of(s, o.i, s->in_height), columns = inputs_of(s, o.j, s->in_width);
    lanes32 best;
    lanes_bits where[2] = {{0}, {0}};
    LANES32_LOOP best.v[h] = (lanes){0} - INFINITY;
    for (int row = rows.from; row < rows.to; row++)
        for (int column = columns.from; column < columns.to; column++) {
            lanes_bits here = (lanes_bits){0} + (uint32_t)position(s, row, column, o.i, o.j);
            lanes32 a = lanes32_load(x, at(s, row, column, s->in_width) + o.c, count, t);
            LANES32_LOOP {
                lanes_int more = lanes_above(a.v[h], best.v[h]) | lanes_no_number(a.v[h]);
                where[h] = (here & (lanes_bits)more) | (where[h] & ~(lanes_bits)more);
                best.v[h] = (lanes)(((lanes_int)a.v[h] & more) | ((lanes_int)best.v[h] & ~more));
            }
        }
    size_t to = at(s, o.i, o.j, s->out_width) + o.c;
    lanes32_store(y, to, count, best, t);
    if (index) put_positions(index + to, where, count, t);
}

/* Divided by the whole window, padding too: PyTorch's default. */
ROW_INLINE void average(
    const layer_shape *s, const void *x, void *y, spot o, size_t count, dtype t) {
    span rows = inputs_of(s, o.i, s->in_height), columns = inputs_of(s, o.j, s->in_width);
    float scale = 1.0f / (float)(s->kernel * s->kernel);
    lanes32 sum = {{{0}, {0}}};
    for (int row = rows.from; row < rows.to; row++)
        for (int column = columns.from; column < columns.to; column++) {
            lanes32 a = lanes32_load(x, at(s, row, column, s->in_width) + o.c, count, t);
            LANES32_LOOP sum.v[h] += a.v[h];
        }
    LANES32_LOOP sum.v[h] *= scale;
    lanes32_store(y, at(s, o.i, o.j, s->out_width) + o.c, count, sum, t);
}

/* Whole vectors of channels with a count that the compiler knows, then what is left. */
ROW_INLINE void largest_all(
    const layer_shape *s, layer_part part, const void *x, void *y, uint8_t *index, dtype t) {
    size_t n = (size_t)s->channels, c;
    for (int i = part.begin; i < part.end; i++)
        for (int j = 0; j < s->out_width; j++) {
            for (c = 0; c + LANES32 <= n; c += LANES32)
                largest(s, x, y, index, (spot){i, j, c}, LANES32, t);
            if (c < n) largest(s, x, y, index, (spot){i, j, c}, n - c, t);
        }
}

/* graph.c admits kernels up to 15 x 15: a position fits a byte. */
VECTOR_CLONES void layer_max_pool(
    const layer_shape *s, layer_part part, const void *x, void *y, uint8_t *index) {
    assert(s->kernel * s->kernel <= UINT8_MAX);
    ROW_TYPED(s->type, largest_all, s, part, x, y, index);
}

ROW_INLINE void average_all(
    const layer_shape *s, layer_part part, const void *x, void *y, dtype t) {
    size_t n = (size_t)s->channels, c;
    for (int i = part.begin; i < part.end; i++)
        for (int j = 0; j < s->out_width; j++) {
            for (c = 0; c + LANES32 <= n; c += LANES32)
                average(s, x, y, (spot){i, j, c}, LANES32, t);
            if (c < n) average(s, x, y, (spot){i, j, c}, n - c, t);
        }
}

VECTOR_CLONES void layer_average_pool(
    const layer_shape *s, layer_part part, const void *x, void *y) {
    ROW_TYPED(s->type, average_all, s, part, x, y);
}

/* ---- backward: what a spot of the input receives from the outputs that it is part of ---- */

/* Of all of them, where index is NULL; else of those whose largest it was. `position` is unique
 * within a window, so a byte that is equal names this very input. Outputs are visited in one order:
 * the sum has the same bits in any team. m channels from o.c on, at most ROW. */
ROW_INLINE void receive(const layer_shape *s, const void *dy, const uint8_t *index, void *dx,
    bool add, spot o, size_t m, dtype t) {
    span rows = outputs_of(s, o.i, s->out_height), columns = outputs_of(s, o.j, s->out_width);
    float sum[ROW], scale = index ? 1.0f : 1.0f / (float)(s->kernel * s->kernel);
    memset(sum, 0, m * sizeof *sum);
    for (int row = rows.from; row < rows.to; row++)
        for (int column = columns.from; column < columns.to; column++) {
            uint8_t here = (uint8_t)position(s, o.i, o.j, row, column);
            size_t from = at(s, row, column, s->out_width) + o.c;
            for (size_t c = 0; c < m; c++) {
                float g = row_get(dy, from + c, t);
                sum[c] += !index || index[from + c] == here ? g : 0.0f;
            }
        }
    size_t to = at(s, o.i, o.j, s->in_width) + o.c;
    ROW_LOOP
    for (size_t c = 0; c < m; c++)
        row_put(dx, to + c, (add ? row_get(dx, to + c, t) : 0.0f) + scale * sum[c], t);
}

ROW_INLINE void receive_all(const layer_shape *s, layer_part part, const void *dy,
    const uint8_t *index, void *dx, bool add, dtype t) {
    size_t n = (size_t)s->channels;
    for (int i = part.begin; i < part.end; i++)
        for (int j = 0; j < s->in_width; j++)
            for (size_t c = 0; c < n; c += ROW)
                receive(s, dy, index, dx, add, (spot){i, j, c}, n - c < ROW ? n - c : ROW, t);
}

VECTOR_CLONES void layer_max_pool_gradient(const layer_shape *s, layer_part part, const void *dy,
    const uint8_t *index, void *dx, bool add) {
    ROW_TYPED(s->type, receive_all, s, part, dy, index, dx, add);
}

VECTOR_CLONES void layer_average_pool_gradient(
    const layer_shape *s, layer_part part, const void *dy, void *dx, bool add) {
    ROW_TYPED(s->type, receive_all, s, part, dy, NULL, dx, add);
}

/* ---- the mean of all pixels ---- */

/* m channels from c0 on of all pixels. The pixels are the outer loop: a row of channels is what
 * lies together in memory. */
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

/* The adjoint of the mean: the same share of the gradient to each pixel. */
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
