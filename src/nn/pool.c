#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

#include <assert.h>
#include <math.h>

/* Where the kernel's rows (or columns) of an output stand in the input. */
typedef struct window {
    int begin, from, to; /* first position, padding included; positions inside */
} window;

static window window_of(const layer_shape *s, int out, int size) {
    window w = {.begin = out * s->stride - s->padding};
    w.from = w.begin < 0 ? 0 : w.begin;
    w.to = w.begin + s->kernel < size ? w.begin + s->kernel : size;
    return w;
}

static size_t at(const layer_shape *s, int row, int column, int width) {
    return ((size_t)row * (size_t)width + (size_t)column) * (size_t)s->channels;
}

/* One output pixel, m channels from c0 on: the first largest, as PyTorch. */
static inline __attribute__((always_inline)) void pool_pixel(const layer_shape *s, const void *x,
    const window w[2], size_t c0, size_t m, float *best, uint8_t *where) {
    float a[ROW];
    for (size_t c = 0; c < m; c++) best[c] = -INFINITY;
    for (size_t c = 0; c < m; c++) where[c] = 0;
    for (int i = w[0].from; i < w[0].to; i++)
        for (int j = w[1].from; j < w[1].to; j++) {
            uint8_t position = (uint8_t)((i - w[0].begin) * s->kernel + j - w[1].begin);
            row_load(a, row_at(x, at(s, i, j, s->in_width) + c0, s->type), m, s->type);
            for (size_t c = 0; c < m; c++) {
                where[c] = a[c] > best[c] ? position : where[c];
                best[c] = a[c] > best[c] ? a[c] : best[c];
            }
        }
}

VECTOR_CLONES void layer_max_pool(const layer_shape *s, const void *x, void *y, uint8_t *index) {
    float best[ROW];
    uint8_t where[ROW];
    assert(s->kernel * s->kernel <= UINT8_MAX);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            window w[2] = {window_of(s, i, s->in_height), window_of(s, j, s->in_width)};
            size_t to = at(s, i, j, s->out_width);
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                pool_pixel(s, x, w, c0, m, best, where);
                row_store(row_at(y, to + c0, s->type), best, m, s->type);
                if (index) memcpy(index + to + c0, where, m);
            }
        }
}

static size_t in_elements(const layer_shape *s) {
    return (size_t)s->in_height * (size_t)s->in_width * (size_t)s->channels;
}

/* The fp32 gradient of a whole image to where it belongs. */
static void store_gradient(const layer_shape *s, float *work, void *dx, bool add) {
    float a[ROW];
    for (size_t i = 0, m, n = in_elements(s); i < n; i += m) {
        m = n - i < ROW ? n - i : ROW;
        if (add) {
            row_load(a, row_at(dx, i, s->type), m, s->type);
            for (size_t j = 0; j < m; j++) work[i + j] += a[j];
        }
        row_store(row_at(dx, i, s->type), work + i, m, s->type);
    }
}

VECTOR_CLONES void layer_max_pool_gradient(
    const layer_shape *s, const void *dy, const uint8_t *index, void *dx, bool add, float *work) {
    float g[ROW];
    memset(work, 0, in_elements(s) * sizeof *work);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            window w[2] = {window_of(s, i, s->in_height), window_of(s, j, s->in_width)};
            size_t from = at(s, i, j, s->out_width);
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                row_load(g, row_at(dy, from + c0, s->type), m, s->type);
                for (size_t c = 0; c < m; c++) {
                    int p = index[from + c0 + c];
                    int row = w[0].begin + p / s->kernel, column = w[1].begin + p % s->kernel;
                    work[at(s, row, column, s->in_width) + c0 + c] += g[c];
                }
            }
        }
    store_gradient(s, work, dx, add);
}

void layer_average_pool(const layer_shape *s, const void *x, void *y) {
    float a[ROW], sum[ROW], scale = 1.f / (float)(s->kernel * s->kernel);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            window w[2] = {window_of(s, i, s->in_height), window_of(s, j, s->in_width)};
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                memset(sum, 0, m * sizeof *sum);
                for (int p = w[0].from; p < w[0].to; p++)
                    for (int q = w[1].from; q < w[1].to; q++) {
                        row_load(a, row_at(x, at(s, p, q, s->in_width) + c0, s->type), m, s->type);
                        for (size_t c = 0; c < m; c++) sum[c] += a[c];
                    }
                for (size_t c = 0; c < m; c++) sum[c] *= scale;
                row_store(row_at(y, at(s, i, j, s->out_width) + c0, s->type), sum, m, s->type);
            }
        }
}

void layer_average_pool_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add, float *work) {
    float g[ROW], scale = 1.f / (float)(s->kernel * s->kernel);
    memset(work, 0, in_elements(s) * sizeof *work);
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++) {
            window w[2] = {window_of(s, i, s->in_height), window_of(s, j, s->in_width)};
            for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
                m = n - c0 < ROW ? n - c0 : ROW;
                row_load(g, row_at(dy, at(s, i, j, s->out_width) + c0, s->type), m, s->type);
                for (int p = w[0].from; p < w[0].to; p++)
                    for (int q = w[1].from; q < w[1].to; q++) {
                        float *to = work + at(s, p, q, s->in_width) + c0;
                        for (size_t c = 0; c < m; c++) to[c] += g[c] * scale;
                    }
            }
        }
    store_gradient(s, work, dx, add);
}

VECTOR_CLONES void layer_global_pool(const layer_shape *s, const void *x, void *y) {
    float a[ROW];
    double sum[ROW];
    size_t pixels = (size_t)s->in_height * (size_t)s->in_width;
    for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        for (size_t c = 0; c < m; c++) sum[c] = 0;
        for (size_t i = 0; i < pixels; i++) {
            row_load(a, row_at(x, i * n + c0, s->type), m, s->type);
            for (size_t c = 0; c < m; c++) sum[c] += a[c];
        }
        for (size_t c = 0; c < m; c++) a[c] = (float)(sum[c] / (double)pixels);
        row_store(row_at(y, c0, s->type), a, m, s->type);
    }
}

VECTOR_CLONES void layer_global_pool_gradient(
    const layer_shape *s, const void *dy, void *dx, bool add) {
    float g[ROW], a[ROW];
    size_t pixels = (size_t)s->in_height * (size_t)s->in_width;
    for (size_t c0 = 0, m, n = (size_t)s->channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        row_load(g, row_at(dy, c0, s->type), m, s->type);
        for (size_t c = 0; c < m; c++) g[c] /= (float)pixels;
        for (size_t i = 0; i < pixels; i++) {
            void *to = row_at(dx, i * n + c0, s->type);
            if (!add) {
                row_store(to, g, m, s->type);
                continue;
            }
            row_load(a, to, m, s->type);
            for (size_t c = 0; c < m; c++) a[c] += g[c];
            row_store(to, a, m, s->type);
        }
    }
}
