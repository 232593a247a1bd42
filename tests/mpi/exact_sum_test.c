/* Sums by messages are MPI_Allreduce's bit for bit: any number of ranks and elements, fewer than
 * ranks too, several sums under way in any order of ends, ranks that are late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/exact_sum.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <string.h>
#include <unistd.h>

enum { MOST = 3, SUMS = 40, LONGEST = 70001 };

static comm *world;

static const size_t sizes[] = {1, 0, 2, 3, 5, 7, 8, 64, 1000, 4099, 65536, LONGEST};

static size_t size_of(int id) {
    return sizes[(size_t)id % (sizeof sizes / sizeof *sizes)];
}

/* All 64 bits: sums wrap. x [n] */
static void fill(int64_t *x, size_t n, int id, int rank) {
    random_stream r = random_begin(3, RANDOM_SYNTH, (uint64_t)id, (uint64_t)rank);
    for (size_t i = 0; i < n; i++) x[i] = (int64_t)(random_u64(&r));
}

/* What MPI makes of it. Owned by the caller. */
static int64_t *expected_sum(size_t n, int id) {
    int64_t *y = memory_alloc(n + 1, sizeof *y, "expected sum");
    fill(y, n, id, world->rank);
    MPI_Allreduce(MPI_IN_PLACE, y, (int)n, MPI_INT64_T, MPI_SUM, world->mpi);
    return y;
}

static void check_sum(const int64_t *x, size_t n, int id) {
    int64_t *y = expected_sum(n, id);
    assert_memory_equal(x, y, n * sizeof *x);
    memory_free(y);
}

/* Sums, and the floats that are made of them; `parts`: by the rank whose part it is. */
typedef struct sums {
    exact_sums *s;
    int64_t *x[SUMS];
    float *y[SUMS];
    bool done[SUMS], parts;
} sums;

static void make(sums *a, int id, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) a->y[id][i] = (float)a->x[id][i];
}

static void begin(sums *a, int id) {
    size_t n = size_of(id);
    a->x[id] = memory_alloc(n + 1, sizeof *a->x[id], "sum");
    a->y[id] = memory_alloc(n + 1, sizeof *a->y[id], "floats");
    fill(a->x[id], n, id, world->rank);
    (a->parts ? exact_sums_begin_part : exact_sums_begin)(a->s, a->x[id], n, id);
}

/* Returns whether it is the sum's last. A part is nobody else's to write: what is there before is
 * no number that a sum could be. */
static bool take(sums *a, const exact_sum_event *e) {
    assert_false(a->done[e->id]);
    a->done[e->id] = e->state != EXACT_SUM_PART;
    switch (e->state) {
    case EXACT_SUM_PART:
        memset(a->y[e->id], 0xFF, size_of(e->id) * sizeof(float));
        make(a, e->id, e->begin, e->end);
        memset(a->x[e->id], 0, size_of(e->id) * sizeof(int64_t));
        exact_sums_spread(a->s, e->id, a->y[e->id]);
        return false;
    case EXACT_SUM_DONE:
        make(a, e->id, 0, size_of(e->id));
        return true;
    case EXACT_SUM_SPREAD:
        return true;
    }
    return false;
}

/* Floats of all elements, whoever has made them; the sums only where nobody asked for parts. */
static void check(const sums *a, int id) {
    size_t n = size_of(id);
    int64_t *sum = expected_sum(n, id);
    float *y = memory_alloc(n + 1, sizeof *y, "expected floats");
    for (size_t i = 0; i < n; i++) y[i] = (float)sum[i];
    if (!a->parts) assert_memory_equal(a->x[id], sum, n * sizeof *sum);
    assert_memory_equal(a->y[id], y, n * sizeof *y);
    memory_free(sum);
    memory_free(y);
}

/* Begins sums as there is room, as a caller does that computes meanwhile: some ranks poll now and
 * then, some wait. */
static void run(bool safe, bool parts) {
    sums a = {.parts = parts};
    exact_sum_event e[MOST];
    int begun = 0, ended = 0;
    assert_int_equal(exact_sums_create(&a.s, world, LONGEST, MOST, safe), STATUS_OK);
    assert_true(exact_sums_test(a.s, true, e) == 0); /* nothing is under way */
    while (ended < SUMS) {
        for (; begun < SUMS && exact_sums_flying(a.s) < MOST; begun++) {
            if (world->rank == begun % 5) usleep(500);
            begin(&a, begun);
        }
        exact_sums_poll(a.s);
        int n = exact_sums_test(a.s, (ended + world->rank) % 2 == 0, e);
        for (int i = 0; i < n; i++) {
            assert_in_range(e[i].id, 0, begun - 1);
            ended += take(&a, &e[i]);
        }
    }
    assert_int_equal(exact_sums_flying(a.s), 0);
    for (int i = 0; i < SUMS; i++) {
        check(&a, i);
        memory_free(a.x[i]);
        memory_free(a.y[i]);
    }
    exact_sums_destroy(a.s);
}

static void test_own_messages(void **state) {
    (void)state;
    run(true, false);
    run(true, true);
}

static void test_sums_of_mpi(void **state) {
    (void)state;
    run(false, false);
    run(false, true);
}

/* In pieces of any length. */
static void test_whole(void **state) {
    (void)state;
    const size_t words[] = {100, LONGEST};
    for (int w = 0; w < 2; w++) {
        exact_sums *s = NULL;
        assert_int_equal(exact_sums_create(&s, world, words[w], MOST, true), STATUS_OK);
        for (int id = 0; id < (int)(sizeof sizes / sizeof *sizes); id++) {
            size_t n = size_of(id);
            int64_t *x = memory_alloc(n + 1, sizeof *x, "sum");
            fill(x, n, id, world->rank);
            exact_sums_whole(s, x, n);
            check_sum(x, n, id);
            memory_free(x);
        }
        exact_sums_destroy(s);
    }
}

/* By the numbers of ranks alone, and the memory that follows. */
static void test_way(void **state) {
    (void)state;
    exact_sums *s = NULL;
    char text[EXACT_SUM_TEXT];
    assert_int_equal(exact_sum_choose(2, 1), EXACT_SUM_FACTORS);
    assert_int_equal(exact_sum_choose(4096, 4), EXACT_SUM_FACTORS);
    assert_int_equal(exact_sum_choose(61 * 6, 6), EXACT_SUM_FACTORS);
    assert_int_equal(exact_sum_choose(67 * 6, 6), EXACT_SUM_MPI);
    assert_int_equal(exact_sums_create(&s, world, 1000, MOST, false), STATUS_OK);
    assert_int_equal(exact_sums_bytes(s), 0);
    exact_sums_describe(s, text);
    assert_string_equal(text, "MPI_Iallreduce");
    exact_sums_destroy(s);
    assert_int_equal(exact_sums_create(&s, world, 1000, MOST, true), STATUS_OK);
    if (world->size == 4) assert_int_equal(exact_sums_bytes(s), MOST * 500 * 8);
    exact_sums_describe(s, text);
    if (world->size == 6) assert_string_equal(text, "own messages, rounds of 2 x 3 ranks");
    exact_sums_destroy(s);
    exact_sums_destroy(NULL);
}

/* Short sums stay whole, long ones are cut. */
static void test_pieces(void **state) {
    (void)state;
    assert_int_equal(exact_sums_piece(100, MOST), 100);
    assert_int_equal(exact_sums_piece(6500, 8), 4096);
    assert_int_equal(exact_sums_piece(1000000, 8), 125001);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_messages),
        cmocka_unit_test(test_sums_of_mpi),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_pieces),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
