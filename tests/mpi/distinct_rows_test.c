/* Rows that differ are counted over all ranks, as far as anybody wants to know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/distinct_rows.h"
#include "tests/mpi/kmeans_data.h"

#include <string.h>

static comm *world;

static int64_t count(data *s, int64_t most) {
    features x = part_of(s, world);
    int64_t n = -1;
    assert_int_equal(distinct_rows(world, &x, most, &n), STATUS_OK);
    return n;
}

/* Only `kinds` different rows, each on several ranks. */
static void few_kinds(void **state) {
    (void)state;
    for (int kinds = 1; kinds < 200; kinds = 3 * kinds + 1) {
        data s = data_create();
        for (int64_t i = kinds; i < s.n; i++)
            memcpy(s.x + i * DATA_D, s.x + i % kinds * DATA_D, DATA_D * sizeof *s.x);
        assert_int_equal(count(&s, 250), kinds);
        assert_int_equal(count(&s, kinds), kinds);
        if (kinds > 1) assert_int_equal(count(&s, kinds - 1), kinds - 1);
        memory_free(s.x);
    }
}

static void all_differ(void **state) {
    (void)state;
    data s = data_create();
    assert_int_equal(count(&s, 2 * s.n), s.n);
    assert_int_equal(count(&s, 5), 5);
    memory_free(s.x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_kinds),
        cmocka_unit_test(all_differ),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
