#include "src/contrast/unit_rows.h"

#include "src/base/unit_length.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { PIXELS = 6, COUNT = 4, D = 5 };

/* Pixel 3 twice; the others once or never. */
static int pixel[COUNT] = {3, 0, 3, 5};
static float map[PIXELS][D], z[COUNT][D], gradient_z[COUNT][D], gradient_e[PIXELS][D];
static double scale[COUNT];
static const unit_rows rows = {COUNT, D, pixel, z[0], scale};

static void fill(void) {
    uint32_t r = 7;
    for (int i = 0; i < (PIXELS + COUNT) * D; i++) {
        r = r * 1664525u + 1013904223u;
        float v = (float)(int32_t)r * 0x1p-29f;
        if (i < PIXELS * D)
            map[i / D][i % D] = v;
        else
            gradient_z[i / D - PIXELS][i % D] = v;
    }
}

static void rows_are_the_chosen_pixels_at_length_1(void **state) {
    (void)state;
    fill();
    unit_rows_take(&rows, map[0]);
    for (int k = 0; k < COUNT; k++) {
        float want[D];
        memcpy(want, map[pixel[k]], sizeof want);
        unit_length_rows(want, 1, D);
        assert_memory_equal(z[k], want, sizeof want);
        assert_true(scale[k] == unit_length_of(map[pixel[k]], D));
    }
}

/* sum of g.z in float64, of e with element j moved by `by`. */
static double loss(int p, int j, double by) {
    double sum = 0;
    for (int k = 0; k < COUNT; k++) {
        double square = 0, dot = 0;
        for (int i = 0; i < D; i++) {
            double e = (double)map[pixel[k]][i] + (pixel[k] == p && i == j ? by : 0);
            square += e * e;
            dot += e * (double)gradient_z[k][i];
        }
        sum += dot / sqrt(square);
    }
    return sum;
}

static void the_gradient_is_the_derivative(void **state) {
    (void)state;
    const double step = 1e-5;
    fill();
    unit_rows_take(&rows, map[0]);
    memset(gradient_e, 0, sizeof gradient_e);
    unit_rows_scatter(&rows, gradient_z[0], gradient_e[0]);
    for (int p = 0; p < PIXELS; p++)
        for (int j = 0; j < D; j++) {
            double numeric = (loss(p, j, step) - loss(p, j, -step)) / (2 * step);
            assert_float_equal(gradient_e[p][j], numeric, 1e-6);
        }
    /* Pixels that are not chosen have none; it is added to what is there. */
    for (int j = 0; j < D; j++) assert_true(gradient_e[1][j] == 0);
    float once[PIXELS][D];
    memcpy(once, gradient_e, sizeof once);
    unit_rows_scatter(&rows, gradient_z[0], gradient_e[0]);
    for (int j = 0; j < D; j++) assert_float_equal(gradient_e[3][j], 2 * once[3][j], 1e-5f);
}

/* PyTorch's normalize divides by 1e-12 instead: one dead pixel would fill the network with huge
 * numbers. */
static void zeros_have_no_gradient(void **state) {
    (void)state;
    fill();
    memset(map[0], 0, sizeof map[0]);
    unit_rows_take(&rows, map[0]);
    for (int j = 0; j < D; j++) assert_true(z[1][j] == 0);
    memset(gradient_e, 0, sizeof gradient_e);
    unit_rows_scatter(&rows, gradient_z[0], gradient_e[0]);
    for (int j = 0; j < D; j++) assert_true(gradient_e[0][j] == 0);
    assert_true(gradient_e[5][0] != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_chosen_pixels_at_length_1),
        cmocka_unit_test(the_gradient_is_the_derivative),
        cmocka_unit_test(zeros_have_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
