/* Pools, resize and dropout with channels that fill vectors, in every storage type, against plain
 * loops. Values are small whole numbers: sums are exact, the largest is often not the only one. */
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

enum { HEIGHT = 7, WIDTH = 6, OUT_HEIGHT = 4, OUT_WIDTH = 3, MOST = 600 };
enum { ELEMENTS = HEIGHT * WIDTH * MOST };
static const int channels_of[] = {5, 32, 64, 100, MOST};
enum { SIZES = sizeof channels_of / sizeof *channels_of };

typedef struct arrays {
    float x[ELEMENTS], y[ELEMENTS], expected[ELEMENTS], work[ELEMENTS];
    char stored_x[4 * ELEMENTS], stored_y[4 * ELEMENTS];
    uint8_t index[ELEMENTS], expected_index[ELEMENTS];
} arrays;

static arrays *a;

static int create_arrays(void **state) {
    (void)state;
    a = malloc(sizeof *a);
    return a ? 0 : -1;
}

static int destroy_arrays(void **state) {
    (void)state;
    free(a);
    return 0;
}

static void fill(float *x, void *stored, size_t n, uint64_t item, dtype t) {
    random_stream r = random_begin(1, RANDOM_SYNTH, 0, item);
    for (size_t i = 0; i < n; i++) x[i] = (float)random_below(&r, 7) - 3;
    layer_convert_in(x, stored, n, t);
}

static void assert_stored(const void *stored, const float *expected, size_t n, dtype t) {
    layer_convert_out(stored, a->y, n, t);
    for (size_t i = 0; i < n; i++)
        if (fabsf(a->y[i] - expected[i]) > 4e-3f * fabsf(expected[i]))
            fail_msg("element %zu is %g, not %g", i, (double)a->y[i], (double)expected[i]);
}

static layer_shape shape_of(int channels, dtype t) {
    return (layer_shape){HEIGHT, WIDTH, OUT_HEIGHT, OUT_WIDTH, channels, 3, 2, 1, t};
}

/* Rows are computed in two parts. */
static layer_part half_of(int rows, int half) {
    return (layer_part){half * (rows / 3), half ? rows : rows / 3};
}

static size_t count(const layer_shape *s, bool out) {
    int pixels = out ? s->out_height * s->out_width : s->in_height * s->in_width;
    return (size_t)(pixels * s->channels);
}

/* Of output (i, j, c): calls `visit` for each input inside, in the kernel's order. */
typedef void visitor(size_t out, size_t in, int position);

static void visit_all(const layer_shape *s, visitor *visit) {
    for (int i = 0; i < s->out_height; i++)
        for (int j = 0; j < s->out_width; j++)
            for (int k = 0; k < s->kernel * s->kernel; k++) {
                int row = i * s->stride - s->padding + k / s->kernel;
                int column = j * s->stride - s->padding + k % s->kernel;
                if (row < 0 || row >= s->in_height || column < 0 || column >= s->in_width) continue;
                for (int c = 0; c < s->channels; c++)
                    visit((size_t)((i * s->out_width + j) * s->channels + c),
                        (size_t)((row * s->in_width + column) * s->channels + c), k);
            }
}

static void visit_largest(size_t out, size_t in, int position) {
    if (a->x[in] <= a->expected[out]) return;
    a->expected[out] = a->x[in];
    a->expected_index[out] = (uint8_t)position;
}

static void visit_index(size_t out, size_t in, int position) {
    if (a->expected_index[out] == position) a->expected[in] += a->x[out];
}

static void visit_sum(size_t out, size_t in, int position) {
    (void)position;
    a->expected[out] += a->x[in] / 9;
}

static void visit_spread(size_t out, size_t in, int position) {
    (void)position;
    a->expected[in] += a->x[out] / 9;
}

static void check_max_pool(int channels, dtype t) {
    layer_shape s = shape_of(channels, t);
    fill(a->x, a->stored_x, count(&s, false), 1, t);
    for (size_t i = 0; i < count(&s, true); i++) a->expected[i] = -INFINITY;
    visit_all(&s, visit_largest);
    for (int half = 0; half < 2; half++)
        layer_max_pool(&s, half_of(s.out_height, half), a->stored_x, a->stored_y, a->index);
    assert_stored(a->stored_y, a->expected, count(&s, true), t);
    assert_memory_equal(a->index, a->expected_index, count(&s, true));
    for (int add = 0; add < 2; add++) {
        fill(a->expected, a->stored_y, count(&s, false), 2, t);
        if (!add) memset(a->expected, 0, sizeof a->expected);
        fill(a->x, a->stored_x, count(&s, true), 3, t);
        visit_all(&s, visit_index);
        for (int half = 0; half < 2; half++)
            layer_max_pool_gradient(
                &s, half_of(s.in_height, half), a->stored_x, a->index, a->stored_y, add);
        assert_stored(a->stored_y, a->expected, count(&s, false), t);
    }
}

/* One in the corner: its window's largest of that channel, and nobody else's. */
static void check_nan(int channels, dtype t) {
    layer_shape s = shape_of(channels, t);
    size_t n = count(&s, true);
    fill(a->x, a->stored_x, count(&s, false), 1, t);
    a->x[0] = NAN;
    layer_convert_in(a->x, a->stored_x, count(&s, false), t);
    for (int half = 0; half < 2; half++)
        layer_max_pool(&s, half_of(s.out_height, half), a->stored_x, a->stored_y, NULL);
    layer_convert_out(a->stored_y, a->y, n, t);
    for (size_t i = 0; i < n; i++) assert_true(isnan(a->y[i]) == (i == 0));
}

static void check_average_pool(int channels, dtype t) {
    layer_shape s = shape_of(channels, t);
    fill(a->x, a->stored_x, count(&s, false), 1, t);
    memset(a->expected, 0, sizeof a->expected);
    visit_all(&s, visit_sum);
    for (int half = 0; half < 2; half++)
        layer_average_pool(&s, half_of(s.out_height, half), a->stored_x, a->stored_y);
    layer_convert_out(a->stored_y, a->y, count(&s, true), t);
    for (size_t i = 0; i < count(&s, true); i++)
        assert_true(fabsf(a->y[i] - a->expected[i]) < 1e-2f);
    fill(a->x, a->stored_x, count(&s, true), 3, t);
    memset(a->expected, 0, sizeof a->expected);
    visit_all(&s, visit_spread);
    for (int half = 0; half < 2; half++)
        layer_average_pool_gradient(
            &s, half_of(s.in_height, half), a->stored_x, a->stored_y, false);
    layer_convert_out(a->stored_y, a->y, count(&s, false), t);
    for (size_t i = 0; i < count(&s, false); i++)
        assert_true(fabsf(a->y[i] - a->expected[i]) < 1e-2f);
}

/* From half the size: weights are quarters, sums exact. The gradient is the transpose:
 * <resize(x), dy> = <x, gradient(dy)>. */
static void check_resize(int channels, dtype t) {
    layer_shape s = {OUT_WIDTH, OUT_WIDTH, 2 * OUT_WIDTH, 2 * OUT_WIDTH, channels, 0, 0, 0, t};
    size_t in = count(&s, false), out = count(&s, true);
    float *x = a->x, *dy = a->expected;
    fill(x, a->stored_x, in, 1, t);
    for (int half = 0; half < 2; half++)
        layer_resize(&s, half_of(s.out_height, half), a->stored_x, a->stored_y);
    layer_convert_out(a->stored_y, a->y, out, t);
    for (int c = 0; c < channels; c++) {
        size_t n = (size_t)channels, k = (size_t)c, at = ((size_t)(2 * OUT_WIDTH) + 1) * n + k;
        assert_true(a->y[k] == x[k]);
        float corner = 9 * x[k] + 3 * (x[n + k] + x[OUT_WIDTH * n + k]);
        assert_true(a->y[at] == (corner + x[(OUT_WIDTH + 1) * n + k]) / 16);
    }
    fill(dy, a->stored_x, out, 2, t);
    double left = 0, right = 0;
    for (size_t i = 0; i < out; i++) left += (double)a->y[i] * dy[i];
    layer_resize_gradient(&s, a->stored_x, a->stored_y, false, a->work);
    layer_convert_out(a->stored_y, a->y, in, t);
    for (size_t i = 0; i < in; i++) right += (double)a->y[i] * x[i];
    assert_true(fabs(left - right) <= (t == DTYPE_F32 ? 1e-6 : 1e-2) * (1 + fabs(left)));
}

/* About as many elements remain as should, grown to make up for the others; another stream keeps
 * others. */
static void check_dropout(size_t n, dtype t) {
    random_stream one = random_begin(1, RANDOM_DROPOUT, 0, 1);
    random_stream two = random_begin(1, RANDOM_DROPOUT, 0, 2);
    size_t kept = 0, other = 0;
    for (size_t i = 0; i < n; i++) a->x[i] = 3;
    layer_convert_in(a->x, a->stored_x, n, t);
    layer_dropout(a->stored_x, a->stored_y, n, 0.25, one, false, t);
    layer_convert_out(a->stored_y, a->y, n, t);
    for (size_t i = 0; i < n; i++) {
        assert_true(a->y[i] == 0 || a->y[i] == 4);
        kept += a->y[i] != 0;
        a->expected[i] = 2 * a->y[i];
    }
    assert_true(fabs((double)kept - 0.75 * (double)n) < 4 * sqrt(0.1875 * (double)n));
    layer_dropout(a->stored_x, a->stored_y, n, 0.25, one, true, t);
    assert_stored(a->stored_y, a->expected, n, t);
    layer_dropout(a->stored_x, a->stored_y, n, 0.25, two, false, t);
    layer_convert_out(a->stored_y, a->y, n, t);
    for (size_t i = 0; i < n; i++) other += (a->y[i] != 0) != (a->expected[i] != 0);
    assert_true(other > n / 4);
}

static void each(void (*check)(int channels, dtype t)) {
    for (int i = 0; i < SIZES; i++)
        for (int t = 0; t < 2; t++) check(channels_of[i], (dtype)t);
}

static void test_max_pool(void **state) {
    (void)state;
    each(check_max_pool);
    each(check_nan);
}

static void test_average_pool(void **state) {
    (void)state;
    each(check_average_pool);
}

static void test_resize(void **state) {
    (void)state;
    each(check_resize);
}

static void test_dropout(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        check_dropout(1000, (dtype)t);
        check_dropout(8192, (dtype)t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_max_pool),
        cmocka_unit_test(test_average_pool), cmocka_unit_test(test_resize),
        cmocka_unit_test(test_dropout)};
    return cmocka_run_group_tests(tests, create_arrays, destroy_arrays);
}
