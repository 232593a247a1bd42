/* k-means|| and the hierarchical start on any number of ranks and threads choose the bits of one
 * rank; they are as good as k-means++, and cope with few rows and many centroids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/mpi/kmeans_data.h"

#include <math.h>
#include <string.h>

static comm *world;
static kmeans_init init; /* of the group of tests that runs */

static kmeans_options options(int k) {
    return (kmeans_options){.k = k,
        .restarts = 1,
        .threads = 1,
        .init = init,
        .sample = 400,
        .branch_iterations = 10,
        .tolerance = -1,
        .seed = 5};
}

/* After `iterations`; 0: the start itself. */
static kmeans_result run(const comm *c, const kmeans_options *o, data *s) {
    features x = part_of(s, c);
    kmeans_result r;
    assert_int_equal(kmeans_run(c, o, &x, NULL, NULL, NULL, &r), STATUS_OK);
    return r;
}

static double check_ranks(const kmeans_options *o, data *s) {
    kmeans_options threads = *o;
    threads.threads = 3;
    kmeans_result here = run(world, o, s), alone = run(NULL, &threads, s);
    size_t bytes = (size_t)o->k * DATA_D * sizeof *here.centroids;
    assert_memory_equal(here.centroids, alone.centroids, bytes);
    assert_memory_equal(&here.objective, &alone.objective, sizeof(double));
    double objective = here.objective;
    result_destroy(&here);
    result_destroy(&alone);
    return objective;
}

static void test_same_bits_on_any_ranks(void **state) {
    (void)state;
    data s = data_create();
    for (int cosine = 0; cosine < 2; cosine++)
        for (int k = 2; k <= (int)s.n; k = k < 200 ? 4 * k : k + 200) {
            kmeans_options o = options(k);
            o.cosine = cosine;
            o.sample_iterations = k % 3;
            check_ranks(&o, &s);
        }
    memory_free(s.x);
}

/* Other restarts and seeds begin elsewhere. */
static void test_restarts_differ(void **state) {
    (void)state;
    data s = data_create();
    kmeans_options o = options(20);
    double first = check_ranks(&o, &s);
    o.restarts = 3;
    double best = check_ranks(&o, &s);
    o.restarts = 1;
    o.seed = 6;
    assert_true(best <= first);
    assert_true(fabs(check_ranks(&o, &s) - first) > 1e-9 * first);
    memory_free(s.x);
}

/* Eight groups far apart, one of them of a single row: each gets a centroid. */
static void test_finds_every_group(void **state) {
    (void)state;
    data s = data_create();
    for (int64_t i = 0; i < s.n; i++)
        s.x[i * DATA_D] += i == 300 ? 7000 : (float)(1000 * (i % (DATA_CENTRES - 1)));
    for (uint64_t seed = 0; seed < 8; seed++) {
        kmeans_options o = options(DATA_CENTRES);
        o.seed = seed;
        assert_true(check_ranks(&o, &s) < 10 * (double)s.n);
    }
    memory_free(s.x);
}

/* Starts are better than random rows, as good as k-means++ on all rows. */
static void test_is_as_good_as_plusplus(void **state) {
    (void)state;
    data s = data_create();
    double sum[3] = {0};
    for (int way = 0; way < 3; way++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            kmeans_options o = options(40);
            o.init = (kmeans_init[]){KMEANS_RANDOM, KMEANS_PLUSPLUS, init}[way];
            o.sample = (int)s.n;
            o.seed = seed;
            kmeans_result r = run(NULL, &o, &s);
            sum[way] += r.objective;
            result_destroy(&r);
        }
    assert_true(sum[2] < sum[0]);
    assert_true(sum[2] < 1.02 * sum[1]);
    memory_free(s.x);
}

static void test_fewer_distinct_rows_than_centroids(void **state) {
    (void)state;
    data s = data_create();
    for (int64_t i = 3; i < s.n; i++)
        memcpy(s.x + i * DATA_D, s.x + i % 3 * DATA_D, DATA_D * sizeof *s.x);
    kmeans_options o = options(10);
    assert_true(check_ranks(&o, &s) <= 0);
    memory_free(s.x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest parallel[] = {
        cmocka_unit_test(test_same_bits_on_any_ranks),
        cmocka_unit_test(test_restarts_differ),
        cmocka_unit_test(test_finds_every_group),
        cmocka_unit_test(test_is_as_good_as_plusplus),
        cmocka_unit_test(test_fewer_distinct_rows_than_centroids),
    };
    /* Which branch gets how many centroids is a guess: few centroids may miss a group. */
    const struct CMUnitTest hierarchical[] = {
        cmocka_unit_test(test_same_bits_on_any_ranks),
        cmocka_unit_test(test_restarts_differ),
        cmocka_unit_test(test_is_as_good_as_plusplus),
        cmocka_unit_test(test_fewer_distinct_rows_than_centroids),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    init = KMEANS_PARALLEL;
    int failed = cmocka_run_group_tests(parallel, NULL, NULL);
    init = KMEANS_HIERARCHICAL;
    failed += cmocka_run_group_tests(hierarchical, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
