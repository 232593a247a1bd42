#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

#include <assert.h>
#include <math.h>

/* Rows whose fp32 sums are short enough to be added to float64 ones without loss that matters. */
enum { ROWS = 16 };

/* Channels c0 .. c0 + m - 1 of every pixel: sum of (x - centre). */
static inline __attribute__((always_inline)) void sum_channels(const void *x, size_t pixels,
    size_t channels, size_t c0, size_t m, const float *centre, bool square, dtype t, double *sum) {
    float room[ROW], part[ROW];
    for (size_t c = 0; c < m; c++) sum[c] = 0;
    for (size_t i = 0; i < pixels; i += ROWS) {
        size_t end = i + ROWS < pixels ? i + ROWS : pixels;
        for (size_t c = 0; c < m; c++) part[c] = 0;
        for (size_t r = i; r < end; r++) {
            const float *a = row_view(room, row_at(x, r * channels + c0, t), m, t);
            if (square)
                for (size_t c = 0; c < m; c++) part[c] += (a[c] - centre[c]) * (a[c] - centre[c]);
            else
                for (size_t c = 0; c < m; c++) part[c] += a[c];
        }
        for (size_t c = 0; c < m; c++) sum[c] += part[c];
    }
}

VECTOR_CLONES void layer_channel_sums(
    const void *x, size_t pixels, int channels, dtype t, float *sum) {
    double part[ROW];
    for (size_t c0 = 0, m, n = (size_t)channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        sum_channels(x, pixels, n, c0, m, NULL, false, t, part);
        for (size_t c = 0; c < m; c++) sum[c0 + c] = (float)part[c];
    }
}

VECTOR_CLONES void layer_moments(
    const void *x, size_t pixels, int channels, dtype t, double *mean, double *m2) {
    float centre[ROW];
    for (size_t c0 = 0, m, n = (size_t)channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        sum_channels(x, pixels, n, c0, m, NULL, false, t, mean + c0);
        for (size_t c = 0; c < m; c++) {
            mean[c0 + c] /= (double)pixels;
            centre[c] = (float)mean[c0 + c];
        }
        sum_channels(x, pixels, n, c0, m, centre, true, t, m2 + c0);
        /* The centre was rounded to fp32: sum (x - mean)^2 = sum (x - centre)^2 - n (centre -
         * mean)^2. */
        for (size_t c = 0; c < m; c++) {
            double off = centre[c] - mean[c0 + c];
            m2[c0 + c] = fmax(0, m2[c0 + c] - (double)pixels * off * off);
        }
    }
}

VECTOR_CLONES void layer_affine(const void *x, void *y, size_t pixels, int channels,
    const float *const affine[2], bool relu, dtype t) {
    float room[2][ROW];
    for (size_t c0 = 0, m, n = (size_t)channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        const float *scale = affine[0] + c0, *shift = affine[1] + c0;
        float lowest = relu ? 0.0f : -INFINITY;
        for (size_t i = 0; i < pixels; i++) {
            const float *a = row_view(room[0], row_at(x, i * n + c0, t), m, t);
            float *out = row_room(room[1], row_at(y, i * n + c0, t), t);
            ROW_LOOP
            for (size_t c = 0; c < m; c++) {
                float v = a[c] * scale[c] + shift[c];
                out[c] = v < lowest ? lowest : v;
            }
            row_done(row_at(y, i * n + c0, t), out, m, t);
        }
    }
}

/* dy where y > 0: dy itself where y is NULL, or in `masked`. */
static inline __attribute__((always_inline)) const float *gradient_row(
    float masked[2][ROW], const void *y, const void *dy, size_t at, size_t m, dtype t) {
    float room[ROW];
    const float *g = row_view(masked[0], row_at(dy, at, t), m, t);
    if (!y) return g;
    const float *o = row_view(room, row_at(y, at, t), m, t);
    for (size_t c = 0; c < m; c++) masked[1][c] = o[c] > 0 ? g[c] : 0;
    return masked[1];
}

VECTOR_CLONES void layer_norm_sums(const void *x, const void *y, const void *dy, size_t pixels,
    int channels, const double *const statistics[2], dtype t, double *sums) {
    float room[ROW], masked[2][ROW], mean[ROW], part[2][ROW];
    for (size_t c0 = 0, m, n = (size_t)channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        double *first = sums + c0, *second = sums + n + c0;
        for (size_t c = 0; c < m; c++) {
            mean[c] = (float)statistics[0][c0 + c];
            first[c] = second[c] = 0;
        }
        for (size_t i = 0; i < pixels; i += ROWS) {
            size_t end = i + ROWS < pixels ? i + ROWS : pixels;
            for (size_t c = 0; c < m; c++) part[0][c] = part[1][c] = 0;
            for (size_t r = i; r < end; r++) {
                const float *a = row_view(room, row_at(x, r * n + c0, t), m, t);
                const float *g = gradient_row(masked, y, dy, r * n + c0, m, t);
                for (size_t c = 0; c < m; c++) part[0][c] += g[c];
                for (size_t c = 0; c < m; c++) part[1][c] += g[c] * (a[c] - mean[c]);
            }
            for (size_t c = 0; c < m; c++) first[c] += part[0][c];
            for (size_t c = 0; c < m; c++) second[c] += part[1][c];
        }
        for (size_t c = 0; c < m; c++) {
            double off = mean[c] - statistics[0][c0 + c];
            second[c] = (second[c] + off * first[c]) / statistics[1][c0 + c];
        }
    }
}

VECTOR_CLONES void layer_norm_gradient(const void *x, const void *y, const void *dy, void *dx,
    size_t pixels, int channels, const float *factors, bool add, dtype t) {
    float room[3][ROW], masked[2][ROW];
    for (size_t c0 = 0, m, n = (size_t)channels; c0 < n; c0 += m) {
        m = n - c0 < ROW ? n - c0 : ROW;
        const float *f0 = factors + c0, *f1 = f0 + n, *f2 = f1 + n;
        for (size_t i = 0; i < pixels; i++) {
            const float *a = row_view(room[0], row_at(x, i * n + c0, t), m, t);
            const float *g = gradient_row(masked, y, dy, i * n + c0, m, t);
            float *out = row_room(room[1], row_at(dx, i * n + c0, t), t);
            if (add) {
                const float *old = row_view(room[2], row_at(dx, i * n + c0, t), m, t);
                ROW_LOOP
                for (size_t c = 0; c < m; c++)
                    out[c] = f0[c] * g[c] + f1[c] * a[c] + f2[c] + old[c];
            } else {
                ROW_LOOP
                for (size_t c = 0; c < m; c++) out[c] = f0[c] * g[c] + f1[c] * a[c] + f2[c];
            }
            row_done(row_at(dx, i * n + c0, t), out, m, t);
        }
    }
}
