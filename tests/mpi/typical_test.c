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
static const int64_t image[IMAGES] = {900, 0, 1, 350, 700, 20, 20, 600, 5, 0, 810, 77, 340, 512};

static int64_t row_of(int64_t i) {
    int64_t row = 0;
    for (int64_t j = 0; j < i; j++) row += image[j];
    return row;
}

static void same_for_any_number_of_ranks(void **state) {
    (void)state;
    size_t n = (size_t)row_of(IMAGES);
    uint16_t *label = memory_alloc(n, sizeof *label, "test");
    float *distance = memory_alloc(n, sizeof *distance, "test");
    random_stream r = random_begin(4, RANDOM_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t a = random_below(&r, K + 9) * random_below(&r, K) / K;
        label[i] = a < K ? (uint16_t)a : LABEL_NONE;
        distance[i] = (float)random_below(&r, 50) / 16;
    }
    typical_pixel *alone, *here;
    typical_rows all = {label, distance, image, IMAGES, 0};
    assert_int_equal(typical_find(NULL, &all, K, &alone), STATUS_OK);
    for (int skip = 0; skip < comm_size(world); skip++) {
        int rank = comm_rank(world) - skip, ranks = comm_size(world) - skip;
        int64_t begin = rank < 0 ? 0 : shard_begin(IMAGES, rank, ranks);
        int64_t end = rank < 0 ? 0 : shard_begin(IMAGES, rank + 1, ranks), at = row_of(begin);
        typical_rows mine = {label + at, distance + at, image + begin, end - begin, begin};
        assert_int_equal(typical_find(world, &mine, K, &here), STATUS_OK);
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
