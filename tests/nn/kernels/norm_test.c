/* The norm's loops against plain sums in float64: every storage type, channel counts that fill
 * vectors and that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/bf16.h"
#include "src/nn/kernels/layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 107, MOST = 1100 };
static const int channels_of[] = {1, 19, 32, 64, 100, MOST};
enum { SIZES = sizeof channels_of / sizeof *channels_of };

/* An array in both forms: as it is stored, and the floats that are. */
typedef struct array {
    void *stored;
    float *x;
    size_t n;
    dtype t;
} array;

/* Channels are computed in two parts, where there are enough. */
static layer_part half_of(int channels, int half) {
    int cut = channels / 64 * 32;
    return (layer_part){half ? cut : 0, half ? channels : cut};
}

static void array_round(array *a) {
    for (size_t i = 0; i < a->n && a->t == DTYPE_BF16; i++) {
        uint16_t b = bf16_from_float(a->x[i]);
        ((uint16_t *)a->stored)[i] = b;
        a->x[i] = bf16_to_float(b);
    }
    if (a->t == DTYPE_F32) memcpy(a->stored, a->x, a->n * sizeof *a->x);
}

/* Normal numbers. */
static array array_create(random_stream *r, size_t n, dtype t) {
    array a = {malloc(n * dtype_size(t)), malloc(n * sizeof(float)), n, t};
    assert_true(a.stored && a.x);
    for (size_t i = 0; i < n; i++) a.x[i] = (float)random_normal(r);
    array_round(&a);
    return a;
}

static void array_destroy(array *a) {
    free(a->stored);
    free(a->x);
}

static float stored(const array *a, size_t i) {
    return a->t == DTYPE_F32 ? ((float *)a->stored)[i] : bf16_to_float(((uint16_t *)a->stored)[i]);
}

/* What is stored equals the expectation, rounded. */
static void assert_stored(const array *a, size_t i, double expected) {
    double tolerance = a->t == DTYPE_F32 ? 1e-6 : 5e-3;
    double error = fabs(stored(a, i) - expected);
    if (error > tolerance * (1 + fabs(expected)))
        fail_msg("element %zu is %g, not %g", i, (double)stored(a, i), expected);
}

static void assert_close(double x, double expected, double tolerance) {
    if (fabs(x - expected) > tolerance) fail_msg("%.12g is not %.12g", x, expected);
}

/* Constants of a norm. */
typedef struct constants {
    float scale[MOST], shift[MOST], factors[3 * MOST];
    double mean[MOST], deviation[MOST];
} constants;

static layer_norm norm_create(constants *k, random_stream *r, int channels, bool relu) {
    for (int c = 0; c < channels; c++) {
        k->scale[c] = (float)random_between(r, -2, 2);
        k->shift[c] = (float)random_between(r, -1, 1);
        k->mean[c] = random_between(r, -1, 1);
        k->deviation[c] = random_between(r, 0.5, 2);
    }
    for (int c = 0; c < 3 * channels; c++) k->factors[c] = (float)random_between(r, -1, 1);
    return (layer_norm){channels, relu, k->scale, k->shift, k->mean, k->deviation};
}

/* ---- moments ---- */

/* Channel c's values are offset + deviation * normal, but for the first pixels' `edge`. */
static void check_moments(int channels, dtype t, double offset, double edge, double tolerance) {
    random_stream r = random_begin(3, RANDOM_SYNTH, 0, (uint64_t)channels);
    size_t n = (size_t)channels;
    array x = array_create(&r, PIXELS * n, t);
    for (size_t i = 0; i < x.n; i++)
        x.x[i] = (float)(x.x[i] + (i < 2 * n ? edge : offset) * (i % n % 3 == 0 ? -1 : 1));
    array_round(&x);
    double mean[MOST], m2[MOST];
    for (int half = 0; half < 2; half++)
        layer_moments(x.stored, PIXELS, channels, half_of(channels, half), t, mean, m2);
    for (size_t c = 0; c < n; c++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < PIXELS; i++) sum += x.x[i * n + c];
        sum /= PIXELS;
        for (size_t i = 0; i < PIXELS; i++) square += pow(x.x[i * n + c] - sum, 2);
        assert_close(mean[c], sum, tolerance * sqrt(square / PIXELS));
        assert_close(m2[c], square, tolerance * square);
    }
    array_destroy(&x);
}

static void test_moments(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int t = 0; t < 2; t++) check_moments(channels_of[i], (dtype)t, 0.5, 0.5, 1e-6);
}

/* Means of ten thousand deviations, of all pixels or of those at the edge. */
static void test_cancellation(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        check_moments(channels_of[i], DTYPE_F32, 1e4, 1e4, 1e-6);
        check_moments(channels_of[i], DTYPE_F32, 1e4, 0, 1e-6);
        check_moments(channels_of[i], DTYPE_F32, 0, -1e4, 1e-6);
    }
}

static void test_channel_sums(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int t = 0; t < 2; t++) {
            random_stream r = random_begin(4, RANDOM_SYNTH, 0, 0);
            size_t n = (size_t)channels_of[i];
            array x = array_create(&r, PIXELS * n, (dtype)t);
            float sums[MOST];
            layer_channel_sums(x.stored, PIXELS, channels_of[i], x.t, sums);
            for (size_t c = 0; c < n; c++) {
                double sum = 0;
                for (size_t j = 0; j < PIXELS; j++) sum += x.x[j * n + c];
                assert_close(sums[c], sum, 1e-5);
            }
            array_destroy(&x);
        }
}

/* ---- forward and backward ---- */

static void check_affine(int channels, dtype t, bool relu, bool residual) {
    random_stream r = random_begin(5, RANDOM_SYNTH, 0, 0);
    constants *k = malloc(sizeof *k);
    assert_non_null(k);
    layer_norm n = norm_create(k, &r, channels, relu);
    size_t count = PIXELS * (size_t)channels;
    array x = array_create(&r, count, t), z = array_create(&r, count, t);
    array y = array_create(&r, count, t);
    layer_affine(&n, x.stored, residual ? z.stored : NULL, y.stored, PIXELS, t);
    for (size_t i = 0; i < count; i++) {
        size_t c = i % (size_t)channels;
        double v = (double)x.x[i] * k->scale[c] + k->shift[c] + (residual ? z.x[i] : 0);
        assert_stored(&y, i, relu && v < 0 ? 0 : v);
    }
    array_destroy(&x);
    array_destroy(&y);
    array_destroy(&z);
    free(k);
}

static void test_affine(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < 8; j++) check_affine(channels_of[i], (dtype)(j & 1), j & 2, j & 4);
}

/* g = dy where the norm's own ReLU, or the sum's, lets it pass. */
static float gradient_of(const layer_norm *n, float x, const float *y, float dy, size_t c) {
    bool pass = y ? *y > 0 : !n->relu || x * n->scale[c] + n->shift[c] > 0;
    return pass ? dy : 0;
}

static void check_sums(int channels, dtype t, bool relu, bool summed) {
    random_stream r = random_begin(6, RANDOM_SYNTH, 0, 0);
    constants *k = malloc(sizeof *k);
    double *sums = malloc(2 * (size_t)channels * sizeof *sums);
    assert_true(k && sums);
    layer_norm n = norm_create(k, &r, channels, relu);
    size_t stride = (size_t)channels, count = PIXELS * stride;
    array x = array_create(&r, count, t), y = array_create(&r, count, t);
    array dy = array_create(&r, count, t);
    for (int half = 0; half < 2; half++)
        layer_norm_sums(&n, half_of(channels, half), x.stored, summed ? y.stored : NULL, dy.stored,
            PIXELS, t, sums);
    for (size_t c = 0; c < stride; c++) {
        double s0 = 0, s1 = 0;
        for (size_t i = c; i < count; i += stride) {
            double g = gradient_of(&n, x.x[i], summed ? &y.x[i] : NULL, dy.x[i], c);
            s0 += g;
            s1 += g * (x.x[i] - k->mean[c]) / k->deviation[c];
            assert_true(stored(&dy, i) == (summed ? (float)g : dy.x[i]));
        }
        assert_close(sums[c], s0, 2e-5);
        assert_close(sums[stride + c], s1, 2e-5);
    }
    array_destroy(&x);
    array_destroy(&y);
    array_destroy(&dy);
    free(sums);
    free(k);
}

static void test_sums(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int t = 0; t < 2; t++) {
            check_sums(channels_of[i], (dtype)t, false, false);
            check_sums(channels_of[i], (dtype)t, true, false);
            check_sums(channels_of[i], (dtype)t, false, true);
        }
}

/* Added to what stands there, or in the place of dy. */
static void check_gradient(int channels, dtype t, bool relu, bool add) {
    random_stream r = random_begin(7, RANDOM_SYNTH, 0, 0);
    constants *k = malloc(sizeof *k);
    assert_non_null(k);
    layer_norm n = norm_create(k, &r, channels, relu);
    size_t stride = (size_t)channels, count = PIXELS * stride;
    array x = array_create(&r, count, t), dy = array_create(&r, count, t);
    array dx = array_create(&r, count, t), *to = add ? &dx : &dy;
    layer_norm_gradient(&n, x.stored, dy.stored, to->stored, PIXELS, k->factors, add, t);
    for (size_t i = 0; i < count; i++) {
        size_t c = i % stride;
        const float *f = k->factors + c;
        double g = gradient_of(&n, x.x[i], NULL, dy.x[i], c);
        double v = f[0] * g + (double)f[stride] * x.x[i] + f[2 * stride];
        assert_stored(to, i, add ? v + dx.x[i] : v);
    }
    array_destroy(&x);
    array_destroy(&dy);
    array_destroy(&dx);
    free(k);
}

static void test_gradient(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < 8; j++) check_gradient(channels_of[i], (dtype)(j & 1), j & 2, j & 4);
}

/* What is not a number is not hidden by rounding or by a ReLU. */
static void test_not_a_number(void **state) {
    (void)state;
    const float one = 1, zero = 0;
    layer_norm n = {.channels = 1, .relu = true, .scale = &one, .shift = &zero};
    float x[3] = {NAN, INFINITY, -INFINITY}, y[3];
    layer_affine(&n, x, NULL, y, 3, DTYPE_F32);
    assert_true(isnan(y[0]) && y[1] == INFINITY && y[2] == 0);
    uint16_t bits[3] = {0x7FFF, 0xFF81, 0x7F80}, out[3];
    layer_affine(&n, bits, NULL, out, 3, DTYPE_BF16);
    assert_true(isnan(bf16_to_float(out[0])) && isnan(bf16_to_float(out[1])));
    assert_int_equal(out[2], 0x7F80);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments),
        cmocka_unit_test(test_cancellation), cmocka_unit_test(test_channel_sums),
        cmocka_unit_test(test_affine), cmocka_unit_test(test_sums), cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_not_a_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
