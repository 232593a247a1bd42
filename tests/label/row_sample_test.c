/* A sample takes its even share of every run of rows, and every set of rows alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/label/row_sample.h"

#include <math.h>

static void test_shares_are_even(void **state) {
    (void)state;
    const int64_t rows = 97000000, sample = 60000;
    int64_t before = 0;
    assert_int_equal(row_sample_share(0, rows, sample), 0);
    assert_int_equal(row_sample_share(rows, rows, sample), sample);
    for (int64_t row = 0; row + 32768 <= rows; row += 32768) {
        int64_t share =
            row_sample_share(row + 32768, rows, sample) - row_sample_share(row, rows, sample);
        assert_true(share == 20 || share == 21); /* 20.27 */
        before += share;
    }
    assert_true(before <= sample);
    for (int64_t row = 0; row < 50; row++) /* every row */
        assert_int_equal(row_sample_share(row + 1, 50, 50) - row_sample_share(row, 50, 50), 1);
    assert_int_equal(row_sample_share((int64_t)1 << 40, (int64_t)1 << 41, 1 << 30), 1 << 29);
}

static void test_choice_is_even(void **state) {
    (void)state;
    enum { N = 10, M = 4, DRAWS = 20000 };
    int hits[N] = {0};
    for (int t = 0; t < DRAWS; t++) {
        int64_t chosen[M];
        random_stream r = random_begin(1, RANDOM_CLUSTER, 0, (uint64_t)t);
        row_sample_choose(&r, N, M, chosen);
        for (int i = 0; i < M; i++) {
            assert_true(chosen[i] >= 0 && chosen[i] < N);
            if (i > 0) assert_true(chosen[i] > chosen[i - 1]);
            hits[chosen[i]]++;
        }
    }
    /* Binomial with probability 0.4: five standard deviations. */
    for (int i = 0; i < N; i++) assert_true(fabs(hits[i] - 0.4 * DRAWS) < 350);
    int64_t all[N];
    random_stream r = random_begin(1, RANDOM_CLUSTER, 0, 0);
    row_sample_choose(&r, N, N, all);
    for (int i = 0; i < N; i++) assert_int_equal(all[i], i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_are_even),
        cmocka_unit_test(test_choice_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
