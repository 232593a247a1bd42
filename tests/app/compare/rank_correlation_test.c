#include "src/app/compare/rank_correlation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define close_to(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static rank_correlation of(const double *x, const double *y, int n) {
    rank_correlation r;
    assert_int_equal(rank_correlation_of(x, y, n, &r), STATUS_OK);
    return r;
}

/* Figures by numpy: corrcoef of the ranks, ties sharing their mean. */
static void ties_share_their_rank(void **state) {
    (void)state;
    const double x[] = {1, 2, NAN, 2, 3, 7, 5, 9}, y[] = {2, 1, 3, 4, 4, 6, 9, INFINITY};
    rank_correlation r = of(x, y, 8);
    assert_int_equal(r.pairs, 6);
    close_to(r.rho, 0.8088235294117647);
    close_to(r.low, -0.17804814734746147);
    close_to(r.high, 0.9845325738353549);
}

/* Only the order counts; where all pairs are in order there is no interval. */
static void order_alone_counts(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4, 5}, up[] = {1, 10, 100, 1e3, 1e9}, down[] = {5, 4, 3, 2, -7};
    rank_correlation r = of(x, up, 5);
    assert_true(r.rho == 1);
    assert_true(isnan(r.low) && isnan(r.high));
    assert_true(of(x, down, 5).rho == -1);
}

static void too_few_pairs_have_none(void **state) {
    (void)state;
    const double x[] = {1, 2, 3}, y[] = {1, 3, 2}, same[] = {4, 4, 4};
    assert_true(isnan(of(x, y, 0).rho));
    assert_true(isnan(of(x, y, 1).rho));
    assert_true(isnan(of(x, same, 3).rho));
    rank_correlation r = of(x, y, 3);
    close_to(r.rho, 0.5);
    assert_true(isnan(r.low) && isnan(r.high));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_share_their_rank),
        cmocka_unit_test(order_alone_counts),
        cmocka_unit_test(too_few_pairs_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
