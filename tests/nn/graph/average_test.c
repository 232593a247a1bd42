#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/graph/average.h"

#include <math.h>

/* One weight, which is `steps` after so many steps from 0, and a statistic. */
static double after(double decay, int steps, float *statistic) {
    float w = 0, s = 1, mean = 0, mean_s = 1;
    const parameters p = {
        .value = &w, .buffer = &s, .count = 1, .buffers = 1, .batches_tracked = 7};
    parameters average = {.value = &mean, .buffer = &mean_s, .count = 1, .buffers = 1};
    for (int i = 1; i <= steps; i++) {
        w = (float)i;
        s = (float)(2 * i + 1);
        average_update(&average, &p, decay, i);
    }
    assert_int_equal(average.batches_tracked, 7);
    *statistic = mean_s;
    return (double)mean;
}

/* 0, 1, ... n: their mean is n / 2 as long as the decay is not reached. */
static void first_steps_count_alike(void **state) {
    (void)state;
    float s;
    for (int n = 1; n <= 9; n++) {
        assert_true(fabs(after(0.9, n, &s) - 0.5 * n) < 1e-5);
        assert_true(fabs((double)s - (n + 1)) < 1e-5);
    }
}

/* Torch's: mean = 0.9 mean + 0.1 w from step 10 on. */
static void later_ones_by_the_decay(void **state) {
    (void)state;
    float s;
    double mean = 4.5;
    for (int n = 10; n <= 60; n++) mean = 0.9 * mean + 0.1 * n;
    assert_true(fabs(after(0.9, 60, &s) - mean) < 1e-4);
    assert_true(after(0, 60, &s) == 60 && s == 121);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_steps_count_alike),
        cmocka_unit_test(later_ones_by_the_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
