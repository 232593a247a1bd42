#include "src/nn/graph/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

static void test_schedules(void **state) {
    (void)state;
    const struct {
        schedule_kind kind;
        int64_t step, steps, warmup;
        double power, factor;
    } cases[] = {
        {SCHEDULE_CONSTANT, 0, 10, 0, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 9, 10, 0, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 0, 10, 3, 0.9, 0.25},
        {SCHEDULE_CONSTANT, 2, 10, 3, 0.9, 0.75},
        {SCHEDULE_CONSTANT, 3, 10, 3, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 1, 2, 4, 0.9, 0.4},
        {SCHEDULE_POLYNOMIAL, 0, 100, 0, 0.9, 1.0},
        {SCHEDULE_POLYNOMIAL, 50, 100, 0, 2.0, 0.25},
        {SCHEDULE_POLYNOMIAL, 60, 100, 20, 1.0, 0.5},
        {SCHEDULE_COSINE, 0, 100, 0, 0.0, 1.0},
        {SCHEDULE_COSINE, 25, 100, 0, 0.0, 0.85355339059327373},
        {SCHEDULE_COSINE, 60, 100, 20, 0.0, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double f = schedule_factor(
            cases[i].kind, cases[i].step, cases[i].steps, cases[i].warmup, cases[i].power);
        assert_true(fabs(f - cases[i].factor) < 1e-14);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_schedules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
