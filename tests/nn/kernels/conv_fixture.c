/* Maps whose values the type holds exactly, so that what is compared is the arithmetic alone. */
#include "tests/nn/kernels/conv_fixture.h"

#include "src/base/bf16.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void *fixture_allocate(size_t count, size_t size) {
    void *p = memory_alloc(count, size, "test");
    assert_non_null(p);
    return p;
}

void fixture_fill(float *x, size_t n, uint32_t seed, float level, dtype t) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        float v = (float)(int32_t)(seed >> 8) / (float)(1 << 23) - 1 + level;
        x[i] = t == DTYPE_BF16 ? bf16_to_float(bf16_from_float(v)) : v;
    }
}

fixture fixture_create(int height, int width, int in, int out, int kernel, int dilation, dtype t) {
    fixture f = {.c = {height, width, in, height, width, out, kernel, 1, dilation,
                     dilation * (kernel / 2), t}};
    size_t pixels = (size_t)height * (size_t)width;
    f.inputs = pixels * (size_t)in;
    f.outputs = pixels * (size_t)out;
    f.weights = (size_t)in * (size_t)out * (size_t)(kernel * kernel);
    assert_int_equal(onednn_create(&f.o, THREADS), STATUS_OK);
    f.x = fixture_allocate(f.inputs, sizeof(float));
    f.y = fixture_allocate(f.outputs, sizeof(float));
    f.old = fixture_allocate(f.outputs, sizeof(float));
    f.w = fixture_allocate(f.weights, sizeof(float));
    f.bias = fixture_allocate((size_t)out, sizeof(float));
    fixture_fill(f.x, f.inputs, 1, 0.25f, t);
    fixture_fill(f.y, f.outputs, 2, -0.125f, t);
    fixture_fill(f.old, f.outputs, 5, 0, t);
    fixture_fill(f.w, f.weights, 3, 0.1f, DTYPE_F32);
    fixture_fill(f.bias, (size_t)out, 4, 0, DTYPE_F32);
    return f;
}

void fixture_destroy(fixture *f) {
    onednn_destroy(f->o);
    memory_free(f->x);
    memory_free(f->y);
    memory_free(f->old);
    memory_free(f->w);
    memory_free(f->bias);
}

void *fixture_stored(const float *x, size_t n, dtype t) {
    char *to = fixture_allocate(n, dtype_size(t));
    for (size_t i = 0; i < n; i++)
        if (t == DTYPE_BF16)
            ((uint16_t *)to)[i] = bf16_from_float(x[i]);
        else
            ((float *)to)[i] = x[i];
    return to;
}

static double fixture_value(const void *x, size_t i, dtype t) {
    return t == DTYPE_BF16 ? (double)bf16_to_float(((const uint16_t *)x)[i])
                           : (double)((const float *)x)[i];
}

void fixture_for_all(const fixture *f, meeting meet, double *result) {
    const conv_shape *c = &f->c;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++)
            for (int k = 0; k < c->kernel * c->kernel; k++) {
                int iy = y + k / c->kernel * c->dilation - c->padding;
                int ix = x + k % c->kernel * c->dilation - c->padding;
                if (iy < 0 || iy >= c->height || ix < 0 || ix >= c->width) continue;
                meet(
                    f, (size_t)(y * c->width + x), (size_t)(iy * c->width + ix), (size_t)k, result);
            }
}

static size_t fixture_weight_index(const fixture *f, size_t o, size_t i, size_t tap) {
    return (o * (size_t)f->c.channels + i) * (size_t)(f->c.kernel * f->c.kernel) + tap;
}

void fixture_meet_forward(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[out * m + o] +=
                (double)f->x[in * n + i] * f->w[fixture_weight_index(f, o, i, tap)];
}

void fixture_meet_data(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[in * n + i] +=
                (double)f->y[out * m + o] * f->w[fixture_weight_index(f, o, i, tap)];
}

void fixture_meet_weights(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[fixture_weight_index(f, o, i, tap)] +=
                (double)f->y[out * m + o] * f->x[in * n + i];
}

double fixture_error(const void *x, const double *wanted, size_t n, dtype t) {
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fixture_value(x, i, t) - wanted[i];
        error += off * off;
        size += wanted[i] * wanted[i];
    }
    return sqrt(error / size);
}

void fixture_check(const char *what, const fixture *f, double error, double most) {
    if (!(error <= most))
        print_message("%s, %d x %d, %d > %d, kernel %d, dilation %d: error %.2g\n", what,
            f->c.height, f->c.width, f->c.channels, f->c.out_channels, f->c.kernel, f->c.dilation,
            error);
    assert_true(error <= most);
}
