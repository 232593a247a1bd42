#include "src/base/unit_length.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { N = 50, D = 37 };

static float x[N][D], y[N][D];

/* Elements of very different size. */
static void fill(void) {
    uint32_t r = 1;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            r = r * 1664525u + 1013904223u;
            x[i][j] = ldexpf((float)(int32_t)r * 0x1p-31f, (int)(r >> 8 & 15) - 8);
        }
}

static void rows_have_length_1_by_the_definition(void **state) {
    (void)state;
    fill();
    memcpy(y, x, sizeof y);
    unit_length_rows(y[0], N, D);
    for (int i = 0; i < N; i++) {
        double squares = 0, length = 0;
        for (int j = 0; j < D; j++) squares += (double)x[i][j] * x[i][j];
        double scale = 1 / sqrt(squares);
        float alone[D];
        assert_true(unit_length_of(x[i], D) == scale);
        assert_true(unit_length_row(x[i], D, alone) == scale);
        for (int j = 0; j < D; j++) {
            float want = (float)(x[i][j] * scale);
            assert_memory_equal(&y[i][j], &want, sizeof want);
            length += (double)y[i][j] * y[i][j];
        }
        assert_memory_equal(alone, y[i], sizeof alone);
        assert_float_equal(length, 1, 1e-7);
    }
}

/* Squares of float32's ends are within float64. */
static void the_smallest_and_the_largest_rows(void **state) {
    (void)state;
    const float end[] = {0x1p-149f, 0x1.fffffep127f};
    for (int e = 0; e < 2; e++) {
        float row[4] = {end[e], 0, -end[e], 0};
        unit_length_rows(row, 1, 4);
        assert_true(row[0] == (float)sqrt(0.5) && row[2] == -row[0] && row[1] == 0);
    }
}

static void zeros_stay(void **state) {
    (void)state;
    const float zero[3] = {0, -0.0f, 0};
    float row[3];
    memcpy(row, zero, sizeof row);
    assert_true(unit_length_row(row, 3, row) == 0);
    assert_memory_equal(row, zero, sizeof row);
}

static void what_is_not_finite_stays_visible(void **state) {
    (void)state;
    const float bad[] = {INFINITY, NAN};
    for (int b = 0; b < 2; b++) {
        float row[3] = {1, bad[b], 2};
        unit_length_rows(row, 1, 3);
        assert_true(isnan(row[1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_length_1_by_the_definition),
        cmocka_unit_test(the_smallest_and_the_largest_rows),
        cmocka_unit_test(zeros_stay),
        cmocka_unit_test(what_is_not_finite_stays_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
