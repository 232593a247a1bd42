#include "src/base/vector.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

static size_t piece(size_t done, size_t n) {
    return n - done < ROW ? n - done : ROW;
}

VECTOR_CLONES void layer_convert_in(const float *x, void *y, size_t n, dtype t) {
    row_store(y, x, n, t);
}

VECTOR_CLONES void layer_convert_out(const void *x, float *y, size_t n, dtype t) {
    row_load(y, x, n, t);
}

VECTOR_CLONES void layer_take_float(const float *x, void *y, size_t n, bool add, dtype t) {
    float a[ROW];
    for (size_t i = 0, m; i < n; i += m) {
        m = piece(i, n);
        if (!add) {
            row_store(row_at(y, i, t), x + i, m, t);
            continue;
        }
        row_load(a, row_at(y, i, t), m, t);
        for (size_t j = 0; j < m; j++) a[j] += x[i + j];
        row_store(row_at(y, i, t), a, m, t);
    }
}

VECTOR_CLONES void layer_accumulate(float *sum, const float *x, size_t n, bool add) {
    if (!add)
        memcpy(sum, x, n * sizeof *sum);
    else
        for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

VECTOR_CLONES void layer_relu(const void *x, void *y, size_t n, dtype t) {
    float room[2][ROW];
    for (size_t i = 0, m; i < n; i += m) {
        m = piece(i, n);
        const float *a = row_view(room[0], row_at(x, i, t), m, t);
        float *out = row_room(room[1], row_at(y, i, t), t);
        ROW_LOOP
        for (size_t j = 0; j < m; j++) out[j] = a[j] < 0 ? 0 : a[j];
        row_done(row_at(y, i, t), out, m, t);
    }
}

VECTOR_CLONES void layer_add(const void *a, const void *b, void *y, size_t n, bool relu, dtype t) {
    float room[3][ROW];
    for (size_t i = 0, m; i < n; i += m) {
        m = piece(i, n);
        const float *p = row_view(room[0], row_at(a, i, t), m, t);
        const float *q = row_view(room[1], row_at(b, i, t), m, t);
        float *out = row_room(room[2], row_at(y, i, t), t);
        if (relu) {
            ROW_LOOP
            for (size_t j = 0; j < m; j++) out[j] = p[j] + q[j] < 0 ? 0 : p[j] + q[j];
        } else {
            ROW_LOOP
            for (size_t j = 0; j < m; j++) out[j] = p[j] + q[j];
        }
        row_done(row_at(y, i, t), out, m, t);
    }
}

VECTOR_CLONES void layer_pass(
    const void *dy, const void *y, void *dx, size_t n, bool add, dtype t) {
    float room[3][ROW], masked[ROW];
    for (size_t i = 0, m; i < n; i += m) {
        m = piece(i, n);
        const float *g = row_view(room[0], row_at(dy, i, t), m, t);
        float *out = row_room(room[1], row_at(dx, i, t), t);
        const float *old = add ? row_view(room[1], row_at(dx, i, t), m, t) : NULL;
        if (y) {
            const float *o = row_view(room[2], row_at(y, i, t), m, t);
            for (size_t j = 0; j < m; j++) masked[j] = o[j] > 0 ? g[j] : 0;
            g = masked;
        }
        if (add) {
            ROW_LOOP
            for (size_t j = 0; j < m; j++) out[j] = old[j] + g[j];
        } else {
            ROW_LOOP
            for (size_t j = 0; j < m; j++) out[j] = g[j];
        }
        row_done(row_at(dx, i, t), out, m, t);
    }
}

void layer_put(const void *x, void *y, size_t pixels, int channels, int begin, int total, dtype t) {
    size_t c = (size_t)channels;
    for (size_t i = 0; i < pixels; i++)
        memcpy(row_at(y, i * (size_t)total + (size_t)begin, t), row_at(x, i * c, t),
            c * dtype_size(t));
}

void layer_take(const void *dy, void *dx, size_t pixels, const int channels[3], bool add, dtype t) {
    size_t c = (size_t)channels[0], begin = (size_t)channels[1], total = (size_t)channels[2];
    for (size_t i = 0; i < pixels; i++)
        layer_pass(row_at(dy, i * total + begin, t), NULL, row_at(dx, i * c, t), c, add, t);
}

void layer_dropout(
    const void *x, void *y, size_t n, double probability, random_stream r, bool add, dtype t) {
    float a[ROW], b[ROW];
    uint32_t threshold =
        (uint32_t)(probability * 0x1p32 < 0x1p32 - 1 ? probability * 0x1p32 : 0x1p32 - 1);
    float scale = (float)(1 / (1 - probability));
    for (size_t i = 0, m; i < n; i += m) {
        m = piece(i, n);
        row_load(a, row_at(x, i, t), m, t);
        for (size_t j = 0; j < m; j++) a[j] = random_u32(&r) >= threshold ? a[j] * scale : 0;
        if (add) {
            row_load(b, row_at(y, i, t), m, t);
            for (size_t j = 0; j < m; j++) a[j] += b[j];
        }
        row_store(row_at(y, i, t), a, m, t);
    }
}
