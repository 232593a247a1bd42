/* Settings of rank 0 on every rank. */
#include "mpi/settings_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static comm *world;
static settings s, expected;

/* What other ranks ask for does not count. */
static void test_everyone_gets_rank_0s(void **state) {
    const char *const mine[] = {"run.dir=a", "pretrain.lr=0.3", "run.seed=5000000000"};
    const char *const others[] = {"run.dir=b", "nonsense", "cluster.k=0"};
    (void)state;
    memset(&s, 0x5A, sizeof s);
    assert_int_equal(settings_read(&expected, NULL, mine, 3), STATUS_OK);
    assert_int_equal(
        settings_share(world, &s, NULL, comm_root(world) ? mine : others, 3), STATUS_OK);
    assert_memory_equal(&s, &expected, sizeof s);
}

static void test_mistakes_reach_everyone(void **state) {
    const char *const set[] = {"run.seed=x"};
    (void)state;
    memset(&s, 0x5A, sizeof s);
    expected = s;
    assert_int_equal(settings_share(world, &s, NULL, set, comm_root(world) ? 1 : 0), STATUS_USAGE);
    assert_memory_equal(&s, &expected, sizeof s);
}

static void test_without_mpi(void **state) {
    const char *const set[] = {"run.rounds=3"};
    (void)state;
    assert_int_equal(settings_share(NULL, &s, NULL, set, 1), STATUS_OK);
    assert_int_equal(s.run.rounds, 3);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone_gets_rank_0s),
        cmocka_unit_test(test_mistakes_reach_everyone),
        cmocka_unit_test(test_without_mpi),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
