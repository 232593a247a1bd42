/* A request to one rank ends what takes long without iterations: starts of k-means, DBSCAN and
 * principal components. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/dbscan.h"
#include "mpi/pca.h"
#include "src/base/stop.h"
#include "tests/mpi/kmeans_data.h"

static comm *world;

/* What each does, before and after the request. */
static void expect(status want) {
    data s = data_create();
    features x = part_of(&s, world);
    static const kmeans_init inits[] = {KMEANS_PLUSPLUS, KMEANS_PARALLEL, KMEANS_HIERARCHICAL};
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        kmeans_options o = {
            .k = 9, .iterations = 2, .restarts = 1, .threads = 2, .init = inits[i], .sample = 100};
        kmeans_result r = {0};
        assert_int_equal(kmeans_run(world, &o, &x, NULL, NULL, NULL, &r), want);
        result_destroy(&r);
    }
    const dbscan_options o = {.eps = 1, .min_points = 3, .threads = 2, .sample = 200};
    dbscan_result found = {0};
    assert_int_equal(dbscan_run(world, &o, &x, &found), want);
    dbscan_result_destroy(&found);
    pca p = {0};
    assert_int_equal(pca_fit(world, &x, 3, 2, &p), want);
    pca_destroy(&p);
    memory_free(s.x);
}

/* A request stays: it is the last thing here. */
static void one_rank_is_asked(void **state) {
    (void)state;
    expect(STATUS_OK);
    if (comm_rank(world) == comm_size(world) - 1) stop_now();
    expect(STATUS_STOPPED);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_rank_is_asked)};
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
