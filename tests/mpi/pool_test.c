/* The loss of the global pool and its gradient at any number of ranks have the bits of one rank, on
 * one node, on nodes of one or two ranks, and without shared memory; also when a rank has no rows,
 * and when the pool grows; a rank's bad embedding is told everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/pool.h"
#include "mpi/shard.h"
#include "src/base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 9, ROWS = 40, N = SAMPLES * ROWS, D = 20 };

static comm *world;
static pool_exchange *exchange, *single; /* of all ranks; of one */
static int samples = SAMPLES;
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
    int64_t begin = part < 0 ? 0 : shard_begin(samples, part, parts);
    int64_t end = part < 0 ? 0 : shard_begin(samples, part + 1, parts);
    *first = (size_t)begin * ROWS;
    *local = (size_t)(end - begin) * ROWS;
}

static status compute(
    const contrast_options *o, int skip, contrast_stats *stats, size_t *first, size_t *local) {
    own_range(skip, first, local);
    for (size_t i = 0; i < *local; i++) own_partner[i] = partner[*first + i] - (int32_t)*first;
    const contrast_pool mine = {
        *local, D, z + *first * D, label + *first, image + *first, own_partner};
    return pool_loss(exchange, o, &mine, stats, gradient);
}

static void check_choice(int choice) {
    static const contrast_positives positives[] = {
        POSITIVES_AUXILIARY, POSITIVES_AUGMENTATION, POSITIVES_BOTH};
    contrast_options o = {.positives = positives[choice % 3],
        .scope = choice / 3 % 2 ? SCOPE_IMAGE : SCOPE_GLOBAL,
        .temperature = 0.1,
        .threads = 1,
        .type = choice % 2 ? DTYPE_BF16 : DTYPE_F32};
    contrast_stats one, all;
    size_t first, local;
    const contrast_pool all_rows = {(size_t)samples * ROWS, D, z, label, image, partner};
    assert_int_equal(pool_loss(single, &o, &all_rows, &one, alone), STATUS_OK);
    assert_true(one.anchors > 0 && one.loss > 0);
    assert_int_equal(compute(&o, choice / 6, &all, &first, &local), STATUS_OK);
    assert_memory_equal(&one, &all, sizeof one);
    if (local) assert_memory_equal(alone + first * D, gradient, local * D * sizeof *gradient);
}

/* On nodes of so many ranks; 0: as the machine is. */
static void begin(const char *ranks_of_node) {
    setenv("AUXSEG_HOOK_NODE", ranks_of_node, 1);
    assert_int_equal(pool_exchange_create(&exchange, world, NULL), STATUS_OK);
    assert_int_equal(pool_exchange_create(&single, NULL, NULL), STATUS_OK);
    draw();
}

static void end(void) {
    pool_exchange_destroy(exchange);
    pool_exchange_destroy(single);
    unsetenv("AUXSEG_HOOK_NODE");
}

static void same_bits_as_alone(void **state) {
    (void)state;
    static const char *const ranks_of_node[] = {"0", "1", "2", "3"};
    for (size_t k = 0; k < sizeof ranks_of_node / sizeof *ranks_of_node; k++) {
        begin(ranks_of_node[k]);
        for (samples = 2; samples <= SAMPLES; samples += 7)
            for (int choice = 0; choice < 12; choice++) check_choice(choice);
        samples = SAMPLES;
        end();
    }
}

/* When the pool grows: what was shared before is not any more. The hook is passed by the first rank
 * of a node, of one that shares. */
static void same_bits_without_room(void **state) {
    (void)state;
    begin("0");
    samples = 2;
    check_choice(0);
    setenv("AUXSEG_HOOK_NO_SHARED_MEMORY", "1", 1);
    for (samples = 2; samples <= SAMPLES; samples += 7) check_choice(2);
    unsetenv("AUXSEG_HOOK_NO_SHARED_MEMORY");
    samples = SAMPLES;
    end();
}

static void no_rows_at_all(void **state) {
    (void)state;
    contrast_options o = {.temperature = 0.1, .threads = 1};
    contrast_stats stats = {.anchors = 5};
    const contrast_pool none = {.d = D};
    begin("0");
    assert_int_equal(pool_loss(exchange, &o, &none, &stats, gradient), STATUS_OK);
    assert_true(stats.anchors == 0 && stats.loss == 0);
    end();
}

static void nonfinite_is_told_everywhere(void **state) {
    (void)state;
    contrast_options o = {.temperature = 0.1, .threads = 1};
    contrast_stats stats;
    size_t first, local;
    begin("2");
    z[(N - 1) * D] = INFINITY;
    assert_int_equal(compute(&o, 0, &stats, &first, &local), STATUS_NONFINITE);
    end();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_as_alone),
        cmocka_unit_test(same_bits_without_room),
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
