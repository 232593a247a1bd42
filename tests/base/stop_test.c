/* Requests to stop. */
#include "src/base/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_file(void **state) {
    char folder[] = "/tmp/auxseg-stop-XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/STOP", folder);
    stop_set_file(path);
    assert_false(stop_requested());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_true(stop_requested());
    unlink(path);
    rmdir(folder);
    assert_false(stop_requested());
    stop_set_file("");
    assert_false(stop_requested());
}

static void test_deadline(void **state) {
    (void)state;
    stop_set_deadline(1000);
    assert_false(stop_requested());
    stop_set_deadline(1e-9);
    usleep(10);
    assert_true(stop_requested());
    stop_set_deadline(0);
    assert_false(stop_requested());
}

/* Last: a signal is not forgotten. */
static void test_signals(void **state) {
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGINT};
    (void)state;
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    stop_install();
    assert_false(stop_requested());
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        raise(signals[i]);
        assert_true(stop_requested());
    }
    /* The second one would kill. */
    assert_ptr_equal(signal(SIGINT, SIG_IGN), SIG_DFL);
    assert_ptr_not_equal(signal(SIGHUP, SIG_IGN), SIG_DFL);
    /* What is ignored from the beginning stays so: nohup. */
    stop_install();
    assert_ptr_equal(signal(SIGHUP, SIG_IGN), SIG_IGN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
