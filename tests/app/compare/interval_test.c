#include "src/app/compare/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* As tables have them. */
static void quantiles_are_students(void **state) {
    (void)state;
    static const struct {
        int degrees;
        double value;
    } c[] = {{1, 12.7062}, {2, 4.3027}, {3, 3.1824}, {4, 2.7764}, {5, 2.5706}, {9, 2.2622},
        {10, 2.2281}, {19, 2.0930}, {30, 2.0423}, {120, 1.9799}, {100000, 1.9600}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        assert_true(fabs(interval_student(c[i].degrees) - c[i].value) < 6e-5);
}

/* Gains of 2 and 4: 3 +- 12.706 * sqrt(2) / sqrt(2). */
static void an_interval_is_of_the_values_that_are_there(void **state) {
    (void)state;
    const double x[] = {2, NAN, 4};
    interval r = interval_of(x, 3);
    assert_int_equal(r.n, 2);
    assert_true(fabs(r.mean - 3) < 1e-12);
    assert_true(fabs(r.deviation - sqrt(2)) < 1e-12);
    assert_true(fabs(r.low + 9.7062) < 1e-4 && fabs(r.high - 15.7062) < 1e-4);
    r = interval_of(x, 2);
    assert_true(r.n == 1 && r.mean == 2 && isnan(r.deviation) && isnan(r.low) && isnan(r.high));
    r = interval_of(x + 1, 1);
    assert_true(r.n == 0 && isnan(r.mean));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_students),
        cmocka_unit_test(an_interval_is_of_the_values_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
