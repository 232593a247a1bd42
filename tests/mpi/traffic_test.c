/* What ranks hand to MPI is counted where it moves: nothing of one rank, and of several each rank's
 * own part, however the library then sends it. */
#include "mpi/traffic.h"

#include "mpi/comm.h"
#include "mpi/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static comm *world;

/* Bytes that this rank has handed over since the last call. */
static double since(void) {
    static double before;
    double now = traffic_sent(), sent = now - before;
    before = now;
    return sent;
}

static void test_each_form(void **state) {
    int64_t x[5] = {1}, before[5];
    double y[7] = {1};
    char all[4 * 8], mine[8] = {0};
    size_t bytes[4] = {1, 2, 3, 4};
    bool several = comm_size(world) > 1;
    (void)state;
    since();
    comm_sum_i64(world, x, 5);
    assert_true(since() == (several ? sizeof x : 0));
    comm_max_f64(world, y, 7);
    assert_true(since() == (several ? sizeof y : 0));
    comm_broadcast(world, x, sizeof x);
    assert_true(since() == (several && comm_root(world) ? sizeof x : 0));
    comm_gather(world, mine, bytes, all);
    assert_true(since() == (several ? (double)bytes[comm_rank(world)] : 0));
    prefix_sum_i64(world, x, before, 5);
    assert_true(since() == (several ? sizeof x : 0));
    assert_int_equal(comm_agree(world, STATUS_OK), STATUS_OK);
    assert_true(since() == (several ? sizeof(int) : 0));
    comm_barrier(world);
    assert_true(since() == 0);
}

static void test_without_mpi(void **state) {
    int64_t x = 1;
    (void)state;
    since();
    comm_sum_i64(NULL, &x, 1);
    comm_broadcast(NULL, &x, sizeof x);
    assert_true(since() == 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form),
        cmocka_unit_test(test_without_mpi),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
