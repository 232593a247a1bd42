/* Each rank as a node: what the first of them says of the other, in a time of the test's own. */
#include "mpi/watchdog_nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static comm *world;

/* LIMIT: seconds, of which a beat is one. PAUSE: microseconds that a datagram has to arrive. */
enum { LIMIT = 8, PAUSE = 2000, LONG = 4 * LIMIT };

static node_report waiting_report(void) {
    node_report r = {.first = world->rank, .ranks = 1, .waiting = 1, .ticks = 5};
    r.behind.step = 3;
    strcpy(r.host, "a host");
    return r;
}

/* Both beat until the nodes that listen have heard of each other. */
static watchdog_nodes *meet(void) {
    watchdog_nodes *n = NULL;
    double seconds;
    node_report about, mine = waiting_report();
    assert_int_equal(watchdog_nodes_create(&n, world, true), STATUS_OK);
    assert_non_null(n);
    int32_t missing = 1;
    for (int i = 0; missing && i < 2000; i++) {
        watchdog_nodes_beat(n, &mine, 0, LIMIT, &about, &seconds);
        usleep(PAUSE);
        missing = !watchdog_nodes_reached(n);
        comm_max_i32(world, &missing, 1);
    }
    assert_false(missing);
    return n;
}

/* Side by side: `others` says whether the last rank beats, too. */
static node_verdict beat(watchdog_nodes *n, bool others, node_report *about, double *seconds) {
    node_verdict v = NODES_FINE;
    node_report mine = waiting_report();
    for (int i = 0; i < 50; i++) { /* time stands still until the other's datagram is there */
        if (world->rank == 0 || others) v = watchdog_nodes_beat(n, &mine, 0, LIMIT, about, seconds);
        if (others) comm_barrier(world);
    }
    if (world->rank == 0) v = watchdog_nodes_beat(n, &mine, 1, LIMIT, about, seconds);
    return v;
}

/* Who is stopped while it waits has said last that it waits: it is named all the same, and not a
 * job whose ranks all wait for each other. */
static void stopped_node_is_no_waiting_one(void **state) {
    (void)state;
    node_report about;
    double seconds = 0;
    watchdog_nodes *n = meet();
    for (int i = 0; i < LIMIT / 2; i++)
        assert_int_equal(beat(n, true, &about, &seconds), NODES_FINE);
    node_verdict v = NODES_FINE;
    for (int i = 0; world->rank == 0 && v == NODES_FINE && i < LONG; i++)
        v = beat(n, false, &about, &seconds);
    comm_barrier(world);
    watchdog_nodes_destroy(n);
    if (world->rank > 0) return;
    assert_int_equal(v, NODES_SILENT);
    assert_int_equal(about.first, 1);
}

static void all_that_wait_are_a_deadlock(void **state) {
    (void)state;
    node_report about;
    double seconds = 0;
    watchdog_nodes *n = meet();
    int32_t v = NODES_FINE;
    for (int i = 0; v == NODES_FINE && i < LONG; i++) {
        v = (int32_t)beat(n, true, &about, &seconds);
        if (world->rank > 0) v = NODES_FINE;
        comm_max_i32(world, &v, 1);
    }
    assert_int_equal(v, NODES_WAIT);
    if (world->rank == 0) assert_true(seconds >= LIMIT);
    watchdog_nodes_destroy(n);
}

static int open_files(void) {
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* The first of two allocations, the second, the third: which the hook counts through. */
static void nothing_is_left_without_memory(void **state) {
    (void)state;
    static const char *const at[] = {"1", "4", "7"};
    int before = open_files();
    for (int i = 0; i < 3; i++) {
        watchdog_nodes *n = NULL;
        setenv("AUXSEG_HOOK_MEMORY", at[i], 1);
        status st = watchdog_nodes_create(&n, world, true);
        unsetenv("AUXSEG_HOOK_MEMORY");
        assert_int_equal(st, STATUS_FAILED);
    }
    assert_int_equal(open_files(), before);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_left_without_memory),
        cmocka_unit_test(stopped_node_is_no_waiting_one),
        cmocka_unit_test(all_that_wait_are_a_deadlock)};
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
