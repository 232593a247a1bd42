/* What excuses a rank that gets nowhere: a debugger, and a thread in a call on a file; not one that
 * waits for a pipe, as threads of MPI's libraries do. */
#include "mpi/watchdog_look.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void debugger_is_seen(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status)) skip(); /* no ptrace here */
    bool traced = watchdog_traced(child);
    ptrace(PTRACE_CONT, child, NULL, NULL);
    waitpid(child, &status, 0);
    assert_true(traced);
    assert_false(watchdog_traced((int)getpid()));
}

static void *wait_for_lock(void *fd) {
    flock(*(int *)fd, LOCK_EX);
    return NULL;
}

static void *read_byte(void *fd) {
    char byte;
    if (read(*(int *)fd, &byte, 1) != 1) abort();
    return NULL;
}

/* Whether it is seen within a second, which a busy machine may take to start a thread. */
static bool seen(void) {
    for (int i = 0; i < 100; i++) {
        if (watchdog_in_files()) return true;
        usleep(10000);
    }
    return false;
}

/* A lock that another one has stands for a disk that does not answer: both keep a thread in a call
 * on a file. */
static void file_is_seen(void **state) {
    (void)state;
    char name[] = "/tmp/watchdog_look_XXXXXX";
    int first = mkstemp(name), second = open(name, O_RDONLY | O_CLOEXEC);
    pthread_t thread;
    assert_true(first >= 0 && second >= 0);
    if (access("/proc/self/syscall", R_OK) != 0) skip();
    assert_false(watchdog_in_files());
    flock(first, LOCK_EX);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, &second), 0);
    bool found = seen();
    flock(first, LOCK_UN);
    pthread_join(thread, NULL);
    close(first);
    close(second);
    unlink(name);
    assert_true(found);
}

static void pipe_is_no_file(void **state) {
    (void)state;
    int end[2];
    pthread_t thread;
    assert_int_equal(pipe(end), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_byte, &end[0]), 0);
    usleep(100000);
    bool found = watchdog_in_files();
    assert_int_equal(write(end[1], "x", 1), 1);
    pthread_join(thread, NULL);
    close(end[0]);
    close(end[1]);
    assert_false(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(debugger_is_seen),
        cmocka_unit_test(file_is_seen), cmocka_unit_test(pipe_is_no_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
