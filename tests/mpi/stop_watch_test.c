/* Ranks that work side by side and leave together. A rank is asked by a file that is always there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/stop_watch.h"
#include "src/base/stop.h"

#include <unistd.h>

enum { MANY = 30000 }; /* pieces of about a millisecond: half the test's time limit */
static comm *world;

/* `pieces` of them, of which number `at` ends with `how` (STATUS_STOPPED: the rank is asked);
 * *done: how many there were. */
static status work(int pieces, int at, status how, int *done) {
    stop_watch w = stop_watch_begin(world);
    status st = STATUS_OK;
    for (*done = 0; st == STATUS_OK && *done < pieces; ++*done) {
        if (pieces == MANY) usleep(1000);
        if (*done == at && how == STATUS_STOPPED) stop_set_file("/");
        if (*done == at && how != STATUS_STOPPED) st = how;
        st = stop_watch_ask(&w, st);
    }
    if (at >= pieces && how == STATUS_STOPPED) stop_set_file("/");
    st = stop_watch_end(&w, st);
    stop_set_file("");
    return st;
}

static void nobody_is_asked(void **state) {
    (void)state;
    int done;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(work(world->rank * 3, -1, STATUS_OK, &done), STATUS_OK);
        assert_int_equal(done, world->rank * 3);
    }
}

/* Each rank in turn, in the midst of its share or when it is done with it. */
static void one_is_asked(void **state) {
    (void)state;
    static const status hows[] = {STATUS_STOPPED, STATUS_DATA};
    for (int who = 0; who < world->size; who++)
        for (int k = 0; k < 4; k++) {
            bool me = who == world->rank, late = k >= 2;
            status how = hows[k % 2], st;
            int done, mine = late ? 1 : MANY;
            if (late && (how != STATUS_STOPPED || world->size == 1)) continue;
            st = work(me ? mine : MANY, me ? 1 : -1, how, &done);
            assert_int_equal(st, how);
            assert_true(done < MANY);
        }
}

/* All at once, again and again: no message is left for the next. */
static void all_are_asked(void **state) {
    (void)state;
    int done;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(work(5, i % 5, STATUS_STOPPED, &done), STATUS_STOPPED);
        assert_int_equal(work(5, -1, STATUS_OK, &done), STATUS_OK);
    }
}

static void an_error_outweighs_a_stop(void **state) {
    (void)state;
    int done;
    bool last = world->rank == world->size - 1;
    status st = work(MANY, 3, last ? STATUS_NONFINITE : STATUS_STOPPED, &done);
    /* The last rank may have heard of a stop before it fails. */
    assert_true(st == STATUS_NONFINITE || (st == STATUS_STOPPED && world->size > 1));
}

static void without_mpi(void **state) {
    (void)state;
    stop_watch w = stop_watch_begin(NULL);
    assert_int_equal(stop_watch_ask(&w, STATUS_OK), STATUS_OK);
    stop_set_file("/");
    assert_int_equal(stop_watch_ask(&w, STATUS_OK), STATUS_STOPPED);
    assert_int_equal(stop_watch_ask(&w, STATUS_DATA), STATUS_DATA);
    stop_set_file("");
    assert_int_equal(stop_watch_end(&w, STATUS_DATA), STATUS_DATA);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked),
        cmocka_unit_test(one_is_asked),
        cmocka_unit_test(all_are_asked),
        cmocka_unit_test(an_error_outweighs_a_stop),
        cmocka_unit_test(without_mpi),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
