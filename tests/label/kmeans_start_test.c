/* Distinct rows are drawn alike, and k-means++ finds what lies far apart, whatever the number of
 * threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/label/kmeans.h"
#include "src/label/kmeans_start.h"

#include <math.h>
#include <string.h>

enum { ROWS = 120, D = 3, K = 6 };

/* All K at once, a few at a time. */
static status plusplus(
    random_stream *r, const kmeans_start_rows *rows, int k, int threads, float *c) {
    kmeans_plusplus *p;
    status st = kmeans_plusplus_create(&p, r, rows, k, threads, c);
    while (st == STATUS_OK && kmeans_plusplus_go_on(p, 1000)) {
    }
    if (st == STATUS_OK) kmeans_plusplus_destroy(p);
    return st;
}

/* Row i belongs to corner i % K, far from the others. */
static void corners(float *x) {
    random_stream r = random_begin(2, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < D; j++)
            x[i * D + j] = (float)(1000 * (i % K) * (j + 1) + random_uniform(&r));
}

static void test_plusplus_finds_every_corner(void **state) {
    (void)state;
    float x[ROWS * D], c[K * D], again[K * D];
    const kmeans_start_rows rows = {x, NULL, ROWS, D};
    corners(x);
    for (uint64_t seed = 0; seed < 50; seed++) {
        random_stream r = random_begin(seed, RANDOM_CLUSTER, 0, UINT64_MAX), same = r;
        int found[K] = {0};
        assert_int_equal(plusplus(&r, &rows, K, 1, c), STATUS_OK);
        assert_int_equal(plusplus(&same, &rows, K, 4, again), STATUS_OK);
        assert_memory_equal(c, again, sizeof c);
        for (int a = 0; a < K; a++) found[(int)c[a * D] / 1000]++;
        for (int a = 0; a < K; a++) assert_int_equal(found[a], 1);
    }
}

/* Three rows on a line at 0, 1 and 3: given the first, the others are drawn by squared distance. */
static void test_plusplus_weights_by_squared_distance(void **state) {
    (void)state;
    const float x[] = {0, 1, 3};
    const kmeans_start_rows rows = {x, NULL, 3, 1};
    int first[3] = {0}, far = 0, draws = 20000;
    for (int t = 0; t < draws; t++) {
        float c[2];
        random_stream r = random_begin(3, RANDOM_CLUSTER, (uint64_t)t, UINT64_MAX);
        assert_int_equal(plusplus(&r, &rows, 2, 1, c), STATUS_OK);
        first[c[0] == 3 ? 2 : (int)c[0]]++;
        if (c[0] == 0) far += c[1] == 3;
    }
    for (int i = 0; i < 3; i++) assert_true(fabs(first[i] - draws / 3.0) < 350);
    assert_true(fabs((double)far / first[0] - 0.9) < 0.02);
}

/* A row of weight m is drawn like m rows. */
static void test_plusplus_draws_by_weight(void **state) {
    (void)state;
    const float x[] = {0, 1, 3};
    const int64_t weight[] = {6, 18, 2};
    const kmeans_start_rows rows = {x, weight, 3, 1};
    int first[3] = {0}, far = 0, draws = 20000;
    for (int t = 0; t < draws; t++) {
        float c[2];
        random_stream r = random_begin(3, RANDOM_CLUSTER, (uint64_t)t, UINT64_MAX);
        assert_int_equal(plusplus(&r, &rows, 2, 1, c), STATUS_OK);
        first[c[0] == 3 ? 2 : (int)c[0]]++;
        if (c[0] == 0) far += c[1] == 3;
    }
    for (int i = 0; i < 3; i++) assert_true(fabs(first[i] - draws * (double)weight[i] / 26) < 350);
    assert_true(fabs((double)far / first[0] - 0.5) < 0.04); /* 2 * 9 against 18 * 1 */
}

/* Rows in groups `apart` from each other; with 0 each distance is about as large as any other. */
static void check_plain_algorithm(double apart) {
    enum { N = 400, C = 40 };
    float x[N * D], c[C * D];
    double nearest[N];
    random_stream make = random_begin(8, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < N * D; i++) x[i] = (float)(apart * (i / D % 9) + random_normal(&make));
    random_stream r = random_begin(9, RANDOM_CLUSTER, 0, UINT64_MAX), same = r;
    assert_int_equal(plusplus(&r, &(kmeans_start_rows){x, NULL, N, D}, C, 2, c), STATUS_OK);
    size_t row = random_below(&same, N);
    for (int i = 0; i < N; i++) nearest[i] = INFINITY;
    for (int a = 0; a < C; a++) {
        double sum = 0, running = 0;
        assert_memory_equal(c + a * D, x + row * D, D * sizeof *c);
        for (int i = 0; i < N; i++) {
            nearest[i] = fmin(nearest[i], kmeans_distance(x + i * D, c + a * D, D));
            sum += nearest[i];
        }
        double target = random_uniform(&same) * sum;
        for (row = 0; (running += nearest[row]) <= target || nearest[row] <= 0;) row++;
    }
}

/* What the triangle inequality and float32 leave out changes nothing: the plain algorithm as the
 * reference, with rows close together and far from the origin, too. */
static void test_plusplus_left_out_distances_change_nothing(void **state) {
    (void)state;
    const double apart[] = {0, 10, 1000, 1e5};
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) check_plain_algorithm(apart[i]);
}

static void test_more_centroids_than_rows_that_differ(void **state) {
    (void)state;
    const float x[] = {5, 5, 7, 5};
    const kmeans_start_rows rows = {x, NULL, 4, 1};
    float c[4];
    random_stream r = random_begin(4, RANDOM_CLUSTER, 0, UINT64_MAX);
    assert_int_equal(plusplus(&r, &rows, 4, 1, c), STATUS_OK);
    assert_true(c[0] + c[1] == 12);
    for (int a = 0; a < 4; a++) assert_true(c[a] == 5 || c[a] == 7);
}

static void test_random_rows_are_distinct(void **state) {
    (void)state;
    float x[ROWS * D], c[K * D];
    corners(x);
    random_stream r = random_begin(5, RANDOM_CLUSTER, 0, UINT64_MAX);
    assert_int_equal(kmeans_start_random(&r, x, ROWS, D, K, c), STATUS_OK);
    int row = 0;
    for (int a = 0; a < K; a++, row++) { /* rows in their order, each further on */
        while (row < ROWS && memcmp(x + row * D, c + a * D, D * sizeof *c) != 0) row++;
        assert_true(row < ROWS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plusplus_finds_every_corner),
        cmocka_unit_test(test_plusplus_weights_by_squared_distance),
        cmocka_unit_test(test_plusplus_draws_by_weight),
        cmocka_unit_test(test_plusplus_left_out_distances_change_nothing),
        cmocka_unit_test(test_more_centroids_than_rows_that_differ),
        cmocka_unit_test(test_random_rows_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
