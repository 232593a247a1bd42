#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/nn/gradient.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 12, BIG = 10007, SMALL = 5, COUNT = BIG + SMALL };

static parameters *two_parameters(void) {
    parameter declared[] = {
        {.name = "big", .dims = 1, .shape = {BIG}, .trainable = true},
        {.name = "small", .dims = 1, .shape = {SMALL}, .trainable = true},
    };
    parameters *p = NULL;
    assert_int_equal(parameters_from(&p, declared, 2), STATUS_OK);
    return p;
}

/* Gradient of a unit; magnitudes spread over some powers of two. x [COUNT]. */
static void unit_gradient(float *x, int unit, double scale) {
    random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)unit);
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)(scale * random_normal(&r) * exp(-6.0 * random_uniform(&r)));
}

/* Adds units in the order first, first + step, ..., each big gradient in pieces. */
static void add_units(gradient *g, int first, int step, size_t piece, double scale) {
    float *x = malloc(COUNT * sizeof *x);
    gradient_begin(g, UNITS);
    for (int n = 0; n < UNITS; n++) {
        unit_gradient(x, (first + n * step) % UNITS, scale);
        for (size_t i = 0; i < BIG; i += piece)
            gradient_add(g, 0, x, i, i + piece < BIG ? i + piece : BIG);
        gradient_add(g, 1, x + BIG, 0, SMALL);
    }
    free(x);
}

static void assert_near_exact(const gradient *g, double scale) {
    float *x = malloc(COUNT * sizeof *x);
    double *exact = calloc(COUNT, sizeof *exact), error = 0.0, norm = 0.0;
    for (int u = 0; u < UNITS; u++) {
        unit_gradient(x, u, scale);
        for (int i = 0; i < COUNT; i++) exact[i] += x[i];
    }
    for (int i = 0; i < COUNT; i++) {
        error += (g->value[i] - exact[i]) * (g->value[i] - exact[i]);
        norm += exact[i] * exact[i];
    }
    assert_true(error <= norm * 1e-14);
    free(x);
    free(exact);
}

static void test_any_order_gives_the_same_bits(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p);
    add_units(g, 0, 1, BIG, 1.0);
    assert_true(gradient_rescale(g)); /* unknown scales are measured */
    add_units(g, 0, 1, BIG, 1.0);
    assert_false(gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_near_exact(g, 1.0);

    int64_t *first = malloc(COUNT * sizeof *first);
    memcpy(first, g->sum, COUNT * sizeof *first);
    add_units(g, 5, 7, 333, 1.0);
    assert_false(gradient_rescale(g));
    assert_memory_equal(g->sum, first, COUNT * sizeof *first);
    free(first);
    gradient_destroy(g);
    parameters_destroy(p);
}

/* After a step at scale 1: does a step of another size need a repeat, and is it then right? */
static void check_step(double scale, bool repeats) {
    parameters *p = two_parameters();
    gradient *g = gradient_create(p);
    add_units(g, 0, 1, BIG, 1.0);
    gradient_rescale(g);
    add_units(g, 0, 1, BIG, 1.0);
    assert_int_equal(gradient_finish(g), STATUS_OK);
    add_units(g, 0, 1, BIG, scale);
    assert_int_equal(gradient_rescale(g), repeats);
    if (repeats) add_units(g, 0, 1, BIG, scale);
    assert_false(gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_near_exact(g, scale);
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_scales_follow(void **state) {
    (void)state;
    check_step(0x1p9, false);
    check_step(0x1p12, true);
    check_step(0x1p100, true);
    check_step(0x1p-10, false);
    check_step(0x1p-20, true);
    check_step(0x1p-100, true);
}

/* Values at a scale's very edge: 2^e - ulp fits, 2^e does not. */
static void test_overflow_is_exact(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p);
    const float below[SMALL] = {1.0f - FLT_EPSILON / 2, -1.0f + FLT_EPSILON / 2},
                at[SMALL] = {1.0f};
    g->scale[0] = g->scale[1] = 51;
    gradient_begin(g, 1);
    gradient_add(g, 1, below, 0, SMALL);
    assert_int_equal(g->exponent[1], 0);
    assert_false(gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_memory_equal(g->value + BIG, below, sizeof below);
    g->scale[1] = 51;
    gradient_begin(g, 1);
    gradient_add(g, 1, at, 0, SMALL);
    assert_int_equal(g->exponent[1], 1);
    assert_true(gradient_rescale(g));
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_extremes_and_zero(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p);
    const float rows[][SMALL] = {
        {FLT_MAX, -FLT_MAX, 0.0f, 0x1p120f, -0x1p110f},
        {FLT_MIN, -FLT_MIN, 0x1p-149f, -0x1p-149f, 0.0f},
        {0.0f, -0.0f, 0.0f, 0.0f, 0.0f},
    };
    for (int row = 0; row < 3; row++) {
        for (int i = 0; i < 2; i++) {
            gradient_begin(g, 1);
            gradient_add(g, 1, rows[row], 0, SMALL);
            /* Zeros are exact at any scale; nothing has to be repeated for them. */
            assert_int_equal(gradient_rescale(g), i == 0 && row < 2);
        }
        assert_int_equal(gradient_finish(g), STATUS_OK);
        for (int i = 0; i < SMALL; i++) assert_true(g->value[BIG + i] == rows[row][i]);
        for (int i = 0; i < BIG; i++) assert_true(g->value[i] == 0.0f);
    }
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_nonfinite_is_refused(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        parameters *p = two_parameters();
        gradient *g = gradient_create(p);
        float x[SMALL] = {1.0f, 0.5f, bad[i], 0.25f, -1.0f};
        g->scale[1] = 40;
        gradient_begin(g, 1);
        gradient_add(g, 1, x, 0, SMALL);
        assert_int_equal(g->exponent[1], 1);
        assert_false(gradient_rescale(g));
        assert_int_equal(gradient_finish(g), STATUS_NONFINITE);
        assert_int_equal(g->sum[BIG + 1], (int64_t)1 << 39);
        assert_int_equal(g->sum[BIG + 2], 0);
        gradient_destroy(g);
        parameters_destroy(p);
    }
}

static void note_ready(void *context, size_t offset, size_t count) {
    size_t *seen = context;
    seen[0] = offset;
    seen[1] = count;
}

static void test_ready_calls_the_hook(void **state) {
    (void)state;
    size_t seen[2] = {0};
    parameters *p = two_parameters();
    gradient *g = gradient_create(p);
    gradient_ready(g, 1); /* no hook: nothing happens */
    g->ready = note_ready;
    g->context = seen;
    gradient_ready(g, 1);
    assert_int_equal(seen[0], BIG);
    assert_int_equal(seen[1], SMALL);
    gradient_destroy(g);
    gradient_destroy(NULL);
    parameters_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order_gives_the_same_bits),
        cmocka_unit_test(test_scales_follow),
        cmocka_unit_test(test_overflow_is_exact),
        cmocka_unit_test(test_extremes_and_zero),
        cmocka_unit_test(test_nonfinite_is_refused),
        cmocka_unit_test(test_ready_calls_the_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
