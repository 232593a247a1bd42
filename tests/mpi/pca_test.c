/* Principal components have the bits of one rank without MPI, however the images are dealt out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/pca.h"
#include "tests/mpi/kmeans_data.h"

#include <math.h>
#include <string.h>

enum { COMPONENTS = 5 };

static comm *world;

static status fit(data *s, const comm *c, int components, int threads, pca *out) {
    features x = part_of(s, c);
    return pca_fit(c, &x, components, threads, out);
}

static void same_bits(void **state) {
    (void)state;
    data s = data_create();
    pca alone, together;
    assert_int_equal(fit(&s, NULL, COMPONENTS, 1, &alone), STATUS_OK);
    for (int threads = 1; threads <= 2; threads++) {
        assert_int_equal(fit(&s, world, COMPONENTS, threads, &together), STATUS_OK);
        assert_memory_equal(alone.mean, together.mean, DATA_D * sizeof *alone.mean);
        assert_memory_equal(alone.axis, together.axis, COMPONENTS * DATA_D * sizeof *alone.axis);
        assert_memory_equal(alone.variance, together.variance, COMPONENTS * sizeof *alone.variance);
        assert_true(alone.variance_of_all == together.variance_of_all);
        pca_destroy(&together);
    }
    double kept = 0;
    for (int a = 0; a < COMPONENTS; a++) kept += alone.variance[a];
    assert_true(kept > 0.5 * alone.variance_of_all && kept < alone.variance_of_all);
    pca_destroy(&alone);
    memory_free(s.x);
}

static void refused(void **state) {
    (void)state;
    data s = data_create();
    pca untouched = {.d = 77};
    assert_int_equal(fit(&s, world, DATA_D + 1, 1, &untouched), STATUS_USAGE);
    s.x[(90 + 1 + 5) * DATA_D + 2] = NAN; /* image 3, pixel 5 */
    assert_int_equal(fit(&s, world, COMPONENTS, 1, &untouched), STATUS_NONFINITE);
    assert_int_equal(untouched.d, 77);
    memory_free(s.x);
}

int main(int argc, char **argv) {
    int threads, failed;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),
        cmocka_unit_test(refused),
    };
    failed = comm_create(&world, MPI_COMM_WORLD) != STATUS_OK;
    failed |= cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
