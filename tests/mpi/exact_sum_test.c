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

/* Sums of rows, and the floats that are made of them: of a row's element i modulo the words. */
typedef struct sums {
    exact_sums *s;
    int words, floats; /* of a row; no floats: of no parts */
    int64_t *x[SUMS];
    float *y[SUMS];
    bool done[SUMS];
} sums;

static size_t rows_of(const sums *a, int id) {
    return size_of(id) / (size_t)a->words;
}

static void make(const sums *a, const int64_t *x, size_t begin, size_t end, float *y) {
    size_t words = (size_t)a->words, floats = (size_t)(a->floats ? a->floats : 1);
    for (size_t i = begin; i < end; i++)
        for (size_t k = 0; k < floats; k++) y[i * floats + k] = (float)x[i * words + k % words];
}

static void begin(sums *a, int id) {
    size_t rows = rows_of(a, id), words = (size_t)a->words, n = rows * words;
    a->x[id] = memory_alloc(n + 1, sizeof *a->x[id], "sum");
    a->y[id] = memory_alloc(rows * (size_t)(a->floats + 1) + 1, sizeof *a->y[id], "floats");
    fill(a->x[id], n, id, world->rank);
    if (a->floats > 1)
        exact_sums_begin_rows(a->s, a->x[id], rows, a->floats, id);
    else
        (a->floats ? exact_sums_begin_part : exact_sums_begin)(a->s, a->x[id], rows, id);
}

/* Returns whether it is the sum's last. A part is nobody else's to write: what is there before is
 * no number that a sum could be. */
static bool take(sums *a, const exact_sum_event *e) {
    size_t rows = rows_of(a, e->id);
    assert_false(a->done[e->id]);
    a->done[e->id] = e->state != EXACT_SUM_PART;
    switch (e->state) {
    case EXACT_SUM_PART:
        assert_true(a->floats > 0 && e->begin <= e->end && e->end <= rows);
        memset(a->y[e->id], 0xFF, rows * (size_t)a->floats * sizeof(float));
        make(a, a->x[e->id], e->begin, e->end, a->y[e->id]);
        memset(a->x[e->id], 0, rows * (size_t)a->words * sizeof(int64_t));
        exact_sums_spread(a->s, e->id, a->y[e->id]);
        return false;
    case EXACT_SUM_DONE:
        make(a, a->x[e->id], 0, rows, a->y[e->id]);
        return true;
    case EXACT_SUM_SPREAD:
        return true;
    }
    return false;
}

/* Floats of all rows, whoever has made them; the sums only where nobody asked for parts. */
static void check(const sums *a, int id) {
    size_t rows = rows_of(a, id), n = rows * (size_t)a->words;
    size_t floats = rows * (size_t)(a->floats ? a->floats : 1);
    int64_t *sum = expected_sum(n, id);
    float *y = memory_alloc(floats + 1, sizeof *y, "expected floats");
    make(a, sum, 0, rows, y);
    if (!a->floats) assert_memory_equal(a->x[id], sum, n * sizeof *sum);
    assert_memory_equal(a->y[id], y, floats * sizeof *y);
    memory_free(sum);
    memory_free(y);
}

/* Begins sums as there is room, as a caller does that computes meanwhile: some ranks poll now and
 * then, some wait. */
static void run(bool safe, int words, int floats) {
    sums a = {.words = words, .floats = floats};
    exact_sum_event e[MOST];
    int begun = 0, ended = 0;
    size_t longest = LONGEST / (size_t)words;
    assert_int_equal(exact_sums_create_rows(&a.s, world, longest, words, MOST, safe), STATUS_OK);
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
    run(true, 1, 0);
    run(true, 1, 1);
    run(true, 7, 9);
    run(true, 5, 2);
}

static void test_sums_of_mpi(void **state) {
    (void)state;
    run(false, 1, 0);
    run(false, 1, 1);
    run(false, 7, 9);
}

/* In pieces of any length, of elements and of rows. */
static void test_whole(void **state) {
    (void)state;
    const struct {
        size_t rows;
        int words;
    } of[] = {{100, 1}, {LONGEST, 1}, {37, 3}};
    for (int w = 0; w < 3; w++) {
        exact_sums *s = NULL;
        size_t words = (size_t)of[w].words;
        assert_int_equal(
            exact_sums_create_rows(&s, world, of[w].rows, of[w].words, MOST, true), STATUS_OK);
        for (int id = 0; id < (int)(sizeof sizes / sizeof *sizes); id++) {
            size_t rows = size_of(id) / words, n = rows * words;
            int64_t *x = memory_alloc(n + 1, sizeof *x, "sum");
            fill(x, n, id, world->rank);
            exact_sums_whole(s, x, rows);
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
    assert_int_equal(exact_sums_piece(300000, 8), 131072);
    assert_int_equal(exact_sums_piece(4000000, 8), 500001);
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
