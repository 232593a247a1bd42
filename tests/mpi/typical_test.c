/* Every number of ranks, some without images, finds what one process finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/shard.h"
#include "mpi/typical.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/label/kmeans.h"

enum { IMAGES = 14, K = 300 };

static comm *world;
static int height[IMAGES] = {30, 0, 1, 350, 7, 20, 4, 60, 5, 3, 81, 77, 340, 16};
static int width[IMAGES] = {30, 5, 1, 1, 100, 1, 5, 10, 1, 0, 10, 1, 1, 32};

/* Images begin .. end - 1 and, in *row, where their rows begin. */
static features part_of(int64_t begin, int64_t end, size_t *row) {
    const features all = {.images = IMAGES, .height = height, .width = width};
    features x = {
        .first = begin, .images = end - begin, .height = height + begin, .width = width + begin};
    *row = 0;
    for (int64_t i = 0; i < begin; i++) *row += features_image_rows(&all, i);
    for (int64_t i = begin; i < end; i++) x.n += features_image_rows(&all, i);
    return x;
}

static void same_for_any_number_of_ranks(void **state) {
    (void)state;
    size_t n, at;
    features all = part_of(0, IMAGES, &at);
    n = all.n;
    uint16_t *label = memory_alloc(n, sizeof *label, "test");
    float *distance = memory_alloc(n, sizeof *distance, "test");
    random_stream r = random_begin(4, RANDOM_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t a = random_below(&r, K + 9) * random_below(&r, K) / K;
        label[i] = a < K ? (uint16_t)a : LABEL_NONE;
        distance[i] = (float)random_below(&r, 50) / 16;
    }
    typical_pixel *alone, *here;
    assert_int_equal(typical_find(NULL, &all, label, distance, K, &alone), STATUS_OK);
    for (int skip = 0; skip < comm_size(world); skip++) {
        int rank = comm_rank(world) - skip, ranks = comm_size(world) - skip;
        int64_t begin = rank < 0 ? 0 : shard_begin(IMAGES, rank, ranks);
        int64_t end = rank < 0 ? 0 : shard_begin(IMAGES, rank + 1, ranks);
        features mine = part_of(begin, end, &at);
        assert_int_equal(
            typical_find(world, &mine, label + at, distance + at, K, &here), STATUS_OK);
        assert_memory_equal(here, alone, (size_t)K * TYPICAL * sizeof *here);
        memory_free(here);
    }
    assert_true(typical_is(&alone[0]));
    memory_free(alone);
    memory_free(label);
    memory_free(distance);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_for_any_number_of_ranks)};
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
