#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/comm.h"
#include "mpi/phases.h"
#include "mpi/shard.h"
#include "src/base/memory.h"

#include <string.h>

static comm *world;

static void worst_code_wins(void **state) {
    (void)state;
    static const struct {
        status last, others, want;
    } cases[] = {
        {STATUS_OK, STATUS_OK, STATUS_OK},
        {STATUS_DATA, STATUS_OK, STATUS_DATA},
        {STATUS_STOPPED, STATUS_OK, STATUS_STOPPED},
        {STATUS_FAILED, STATUS_STOPPED, STATUS_FAILED},
        {STATUS_STOPPED, STATUS_FAILED, STATUS_FAILED},
        {STATUS_USAGE, STATUS_NONFINITE, STATUS_NONFINITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool last = world->rank == world->size - 1;
        status want = world->size > 1 ? cases[i].want : cases[i].last;
        assert_int_equal(comm_agree(world, last ? cases[i].last : cases[i].others), want);
    }
    assert_int_equal(comm_agree(NULL, STATUS_DATA), STATUS_DATA);
}

static void one_rank_without_mpi(void **state) {
    (void)state;
    int64_t x = 5;
    double d = 2;
    const size_t bytes[1] = {8};
    int64_t all = 0;
    assert_int_equal(comm_rank(NULL), 0);
    assert_int_equal(comm_size(NULL), 1);
    assert_true(comm_root(NULL));
    comm_sum_i64(NULL, &x, 1);
    comm_max_f64(NULL, &d, 1);
    comm_broadcast(NULL, &x, sizeof x);
    comm_gather(NULL, &x, bytes, &all);
    comm_same(NULL, "x", 1);
    comm_barrier(NULL);
    assert_true(x == 5 && all == 5 && d == 2);
}

static void reductions_are_exact(void **state) {
    (void)state;
    int r = world->rank, n = world->size;
    int64_t sum[3] = {INT64_MAX / 4 - r, -r, 1};
    int64_t ranks = (int64_t)n * (n - 1) / 2;
    comm_sum_i64(world, sum, 3);
    assert_true(sum[0] == n * (INT64_MAX / 4) - ranks && sum[1] == -ranks && sum[2] == n);
    int32_t most[2] = {r, -r};
    comm_max_i32(world, most, 2);
    assert_true(most[0] == n - 1 && most[1] == 0);
    double high[2] = {r, -r}, low[2] = {r, -r};
    comm_max_f64(world, high, 2);
    comm_min_f64(world, low, 2);
    assert_true(high[0] == n - 1 && high[1] == 0 && low[0] == 0 && low[1] == -(n - 1));
    comm_sum_i64(world, NULL, 0);
}

static void rank_0_tells_all(void **state) {
    (void)state;
    char text[16] = "";
    if (comm_root(world)) strcpy(text, "from rank 0");
    comm_broadcast(world, text, sizeof text);
    assert_string_equal(text, "from rank 0");
}

/* Rank r gives r bytes more than the one before, rank 0 none. */
static void gathered_in_rank_order(void **state) {
    (void)state;
    size_t bytes[64], total = 0, mine = (size_t)world->rank * 3;
    char part[256], *all;
    for (int r = 0; r < world->size; r++) total += bytes[r] = (size_t)r * 3;
    memset(part, 'a' + world->rank, sizeof part);
    all = memory_alloc(total, 1, "test");
    comm_gather(world, mine ? part : NULL, bytes, all);
    size_t at = 0;
    for (int r = 0; r < world->size; r++)
        for (size_t i = 0; i < bytes[r]; i++) assert_int_equal(all[at++], 'a' + r);
    memory_free(all);
}

/* The last rank alone, or each another one. */
static void ranks_are_compared(void **state) {
    (void)state;
    bool last = world->rank == world->size - 1;
    status want = world->size > 1 ? STATUS_FAILED : STATUS_OK;
    assert_int_equal(comm_compare(world, "x", UINT64_MAX), STATUS_OK);
    assert_int_equal(comm_compare(world, "x", last ? 1 : 2), want);
    assert_int_equal(comm_compare(world, "x", (uint64_t)world->rank), want);
    assert_int_equal(comm_compare(NULL, "x", 1), STATUS_OK);
}

static void shards_cover_everything_once(void **state) {
    (void)state;
    static const int64_t sizes[] = {0, 1, 2, 7, 100, INT64_C(1) << 61};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int parts = 1; parts < 9; parts++) {
            int64_t n = sizes[i];
            assert_int_equal(shard_begin(n, 0, parts), 0);
            assert_int_equal(shard_begin(n, parts, parts), n);
            for (int p = 0; p < parts; p++) {
                int64_t size = shard_begin(n, p + 1, parts) - shard_begin(n, p, parts);
                assert_true(size == n / parts || size == n / parts + 1);
            }
        }
}

static void spread_of_phases(void **state) {
    (void)state;
    timers t = {0};
    phases p;
    int n = world->size;
    t.seconds[PHASE_FORWARD] = 1 + world->rank;
    t.seconds[PHASE_BACKWARD] = 10 - world->rank;
    t.seconds[PHASE_LOSS] = 2;
    phases_combine(world, &t, &p);
    const phase_spread *f = &p.phase[PHASE_FORWARD], *b = &p.phase[PHASE_BACKWARD];
    assert_true(f->min == 1 && f->max == n && f->mean == (1 + n) / 2.0 && f->slowest == n - 1);
    assert_true(b->min == 11 - n && b->max == 10 && b->slowest == 0);
    assert_int_equal(p.phase[PHASE_LOSS].slowest, 0); /* a tie: the lowest rank */
    assert_true(p.phase[PHASE_READ].max == 0);
    phases_combine(NULL, &t, &p);
    assert_true(f->min == t.seconds[PHASE_FORWARD] && f->max == f->min && f->mean == f->min);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_code_wins),
        cmocka_unit_test(one_rank_without_mpi),
        cmocka_unit_test(reductions_are_exact),
        cmocka_unit_test(rank_0_tells_all),
        cmocka_unit_test(gathered_in_rank_order),
        cmocka_unit_test(ranks_are_compared),
        cmocka_unit_test(shards_cover_everything_once),
        cmocka_unit_test(spread_of_phases),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
