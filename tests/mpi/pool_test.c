/* The loss of the global pool and its gradient at any number of ranks have the bits of one rank,
 * also when a rank has no rows; a rank's bad embedding is told everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/pool.h"
#include "mpi/shard.h"
#include "src/base/random.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 9, ROWS = 40, N = SAMPLES * ROWS, D = 20 };

static comm *world;
static float z[N * D], gradient[N * D], alone[N * D];
static int32_t label[N], image[N], partner[N], own_partner[N];

/* SAMPLES blocks of ROWS rows, the halves of a block partners of each other. */
static void draw(void) {
    random_stream r = random_begin(4, RANDOM_INIT, 0, 0);
    for (int i = 0; i < N; i++) {
        double norm = 0;
        for (int k = 0; k < D; k++) {
            z[i * D + k] = (float)random_normal(&r);
            norm += (double)z[i * D + k] * (double)z[i * D + k];
        }
        for (int k = 0; k < D; k++) z[i * D + k] *= (float)(1 / sqrt(norm));
        label[i] = (int32_t)random_below(&r, 6) - 1;
        image[i] = i / ROWS;
        int block = i / ROWS * ROWS;
        partner[i] = block + (i - block + ROWS / 2) % ROWS;
    }
}

/* Samples of this rank: shards; `skip` leaves rank 0 without any. */
static void own_range(int skip, size_t *first, size_t *local) {
    int rank = comm_rank(world), size = comm_size(world);
    int parts = skip && size > 1 ? size - 1 : size, part = parts < size ? rank - 1 : rank;
    int64_t begin = part < 0 ? 0 : shard_begin(SAMPLES, part, parts);
    int64_t end = part < 0 ? 0 : shard_begin(SAMPLES, part + 1, parts);
    *first = (size_t)begin * ROWS;
    *local = (size_t)(end - begin) * ROWS;
}

static status compute(
    const contrast_options *o, int skip, contrast_stats *stats, size_t *first, size_t *local) {
    own_range(skip, first, local);
    for (size_t i = 0; i < *local; i++) own_partner[i] = partner[*first + i] - (int32_t)*first;
    const contrast_pool mine = {
        *local, D, z + *first * D, label + *first, image + *first, own_partner};
    return pool_loss(world, o, &mine, stats, gradient);
}

static void same_bits_as_alone(void **state) {
    (void)state;
    static const contrast_positives positives[] = {
        POSITIVES_AUXILIARY, POSITIVES_AUGMENTATION, POSITIVES_BOTH};
    draw();
    for (int choice = 0; choice < 12; choice++) {
        contrast_options o = {.positives = positives[choice % 3],
            .scope = choice / 3 % 2 ? SCOPE_IMAGE : SCOPE_GLOBAL,
            .temperature = 0.1,
            .threads = 1,
            .type = choice % 2 ? DTYPE_BF16 : DTYPE_F32};
        contrast_stats one, all;
        size_t first, local;
        const contrast_pool all_rows = {N, D, z, label, image, partner};
        assert_int_equal(pool_loss(NULL, &o, &all_rows, &one, alone), STATUS_OK);
        assert_true(one.anchors > 0 && one.loss > 0);
        assert_int_equal(compute(&o, choice / 6, &all, &first, &local), STATUS_OK);
        assert_memory_equal(&one, &all, sizeof one);
        if (local) assert_memory_equal(alone + first * D, gradient, local * D * sizeof *gradient);
    }
}

static void no_rows_at_all(void **state) {
    (void)state;
    contrast_options o = {.temperature = 0.1, .threads = 1};
    contrast_stats stats = {.anchors = 5};
    const contrast_pool none = {.d = D};
    assert_int_equal(pool_loss(world, &o, &none, &stats, gradient), STATUS_OK);
    assert_true(stats.anchors == 0 && stats.loss == 0);
}

static void nonfinite_is_told_everywhere(void **state) {
    (void)state;
    contrast_options o = {.temperature = 0.1, .threads = 1};
    contrast_stats stats;
    size_t first, local;
    z[(N - 1) * D] = INFINITY;
    assert_int_equal(compute(&o, 0, &stats, &first, &local), STATUS_NONFINITE);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_as_alone),
        cmocka_unit_test(no_rows_at_all),
        cmocka_unit_test(nonfinite_is_told_everywhere),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
