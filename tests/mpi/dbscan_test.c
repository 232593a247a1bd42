/* DBSCAN gives scikit-learn's labels of a sample, and the bits of one rank without MPI for all
 * rows, however the images are dealt out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/dbscan.h"
#include "tests/mpi/kmeans_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static comm *world;

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

static void agrees_with_sklearn(void **state) {
    (void)state;
    int32_t head[3];
    double eps;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/dbscan.bin", "rb");
    assert_non_null(f);
    read_all(f, head, sizeof head);
    read_all(f, &eps, sizeof eps);
    size_t n = (size_t)head[0], d = (size_t)head[1];
    float *x = memory_alloc(n * d, sizeof *x, "rows");
    int32_t *expected = memory_alloc(n, 2 * sizeof *expected, "labels"), *label = expected + n;
    uint8_t *core = memory_alloc(n, 2, "core points");
    read_all(f, x, n * d * sizeof *x);
    read_all(f, expected, n * sizeof *expected);
    read_all(f, core, n);
    fclose(f);
    for (int threads = 1; threads <= 2; threads++) {
        int clusters = -1, most = -1;
        dbscan_options o = {.eps = eps, .min_points = head[2], .threads = threads};
        const features rows = {.n = n, .d = head[1], .data = x};
        assert_int_equal(dbscan_sample(world, &o, &rows, label, core + n, &clusters), STATUS_OK);
        assert_memory_equal(label, expected, n * sizeof *label);
        assert_memory_equal(core, core + n, n);
        for (size_t i = 0; i < n; i++) most = expected[i] > most ? expected[i] : most;
        assert_int_equal(clusters, most + 1);
    }
    memory_free(x);
    memory_free(expected);
    memory_free(core);
}

static dbscan_options options(void) {
    return (dbscan_options){
        .eps = 0.7, .min_points = 4, .threads = 1, .cosine = 1, .sample = 250, .seed = 3};
}

static status run(data *s, const comm *c, const dbscan_options *o, dbscan_result *out) {
    features x = part_of(s, c);
    return dbscan_run(c, o, &x, out);
}

static void same_bits(void **state) {
    (void)state;
    data s = data_create();
    dbscan_options o = options();
    dbscan_result alone, together;
    features x = part_of(&s, world);
    assert_int_equal(run(&s, NULL, &o, &alone), STATUS_OK);
    assert_true(alone.k > 1 && alone.sample == 250 && alone.core > alone.k && alone.noise > 0);
    int64_t labelled = 0;
    double sum = 0;
    for (int64_t i = 0; i < s.n; i++) {
        labelled += alone.label[i] != LABEL_NONE;
        sum += (double)alone.distance[i];
        assert_true(
            alone.label[i] == LABEL_NONE ? alone.distance[i] == 0 : alone.label[i] < alone.k);
    }
    assert_true(labelled > 0 && labelled < s.n);
    assert_true(fabs(alone.objective - sum) < 1e-9 * sum);
    for (o.threads = 1; o.threads <= 2; o.threads++) {
        assert_int_equal(run(&s, world, &o, &together), STATUS_OK);
        assert_int_equal(together.k, alone.k);
        assert_int_equal(together.sample, alone.sample);
        assert_int_equal(together.core, alone.core);
        assert_int_equal(together.noise, alone.noise);
        assert_true(together.objective == alone.objective);
        assert_memory_equal(together.centroids, alone.centroids,
            (size_t)alone.k * DATA_D * sizeof *alone.centroids);
        assert_memory_equal(together.label, alone.label + x.before, x.n * sizeof *alone.label);
        assert_memory_equal(
            together.distance, alone.distance + x.before, x.n * sizeof *alone.distance);
        dbscan_result_destroy(&together);
    }
    dbscan_result_destroy(&alone);
    memory_free(s.x);
}

static void refused(void **state) {
    (void)state;
    data s = data_create();
    dbscan_options o = options();
    dbscan_result r = {.k = 77};
    o.eps = 1e-6; /* all noise */
    o.min_points = 2;
    assert_int_equal(run(&s, world, &o, &r), STATUS_USAGE);
    s.x[(90 + 1 + 5) * DATA_D] = INFINITY; /* image 3, pixel 5 */
    assert_int_equal(run(&s, world, &o, &r), STATUS_NONFINITE);
    assert_int_equal(r.k, 77);
    memory_free(s.x);
}

/* Every row is a cluster of its own. Some seconds: on one rank only. */
static void too_many(void **state) {
    (void)state;
    enum { ROWS = 65535 };
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    if (comm_size(world) > 1) skip();
    float *x = memory_alloc(ROWS, sizeof *x, "rows");
    int height = ROWS, width = 1;
    for (int i = 0; i < ROWS; i++) x[i] = (float)i;
    const features f = {.n = ROWS,
        .d = 1,
        .data = x,
        .images = 1,
        .height = &height,
        .width = &width,
        .total = ROWS};
    dbscan_options o = {.eps = 0.5, .min_points = 1, .threads = 1, .sample = ROWS};
    dbscan_result r = {.k = 77};
    assert_int_equal(dbscan_run(world, &o, &f, &r), STATUS_USAGE);
    assert_int_equal(r.k, 77);
    memory_free(x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_sklearn),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_many),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
