#include "io/files/lock.h"
#include "tests/io/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

static scratch folder;

static int setup(void **state) {
    (void)state;
    scratch_create(&folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&folder);
    return 0;
}

static status take(file_lock **l, const char *in, const char *job, int start) {
    return file_lock_take(l, in, &(file_lock_options){.job = job, .start = start});
}

static bool is_there(void) {
    return access(scratch_path(&folder, LOCK_NAME), F_OK) == 0;
}

static void one_has_it_at_a_time(void **state) {
    (void)state;
    file_lock *first = NULL, *second = NULL;
    assert_int_equal(take(&first, folder.folder, "", 0), STATUS_OK);
    assert_int_equal(take(&second, folder.folder, "", 0), STATUS_USAGE);
    assert_null(second);
    assert_true(file_lock_held(folder.folder));
    file_lock_release(first);
    assert_false(is_there());
    assert_false(file_lock_held(folder.folder));
    assert_int_equal(take(&second, folder.folder, "", 0), STATUS_OK);
    file_lock_release(second);
    file_lock_release(NULL);
}

/* Another process: dies with the lock, or keeps it until it is told. */
static pid_t other_process(bool stays) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        file_lock *l;
        status st = take(&l, folder.folder, "7", 0);
        if (st != STATUS_OK || write(ready[1], "x", 1) != 1) _exit(1);
        if (stays) pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    if (!stays) waitpid(child, NULL, 0);
    return child;
}

/* An owner that is slow to touch it has it all the same; and who was taken over leaves the other's
 * lock alone. */
static void age_is_not_death(void **state) {
    (void)state;
    file_lock *first = NULL, *second = NULL;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(take(&first, folder.folder, "", 0), STATUS_OK);
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(&folder, LOCK_NAME), old, 0), 0);
    assert_int_equal(take(&second, folder.folder, "9", 1), STATUS_USAGE);
    unlink(folder.path);
    assert_int_equal(take(&second, folder.folder, "", 0), STATUS_OK);
    file_lock_release(first);
    assert_true(is_there());
    file_lock_release(second);
    assert_false(is_there());
}

static void a_dead_process_loses_it(void **state) {
    (void)state;
    file_lock *l = NULL;
    other_process(false);
    assert_true(is_there());
    assert_false(file_lock_held(folder.folder));
    assert_int_equal(take(&l, folder.folder, "", 0), STATUS_OK);
    file_lock_release(l);
}

/* Not even to another step of its job. */
static void a_living_process_keeps_it(void **state) {
    (void)state;
    file_lock *l = NULL;
    pid_t child = other_process(true);
    assert_int_equal(take(&l, folder.folder, "7", 0), STATUS_USAGE);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(take(&l, folder.folder, "8", 0), STATUS_OK);
    file_lock_release(l);
}

/* Locks of another host: what their line, their age and this job's name decide. */
static void other_hosts(void **state) {
    (void)state;
    static const struct {
        const char *what, *line, *job;
        int start, age;
        status want;
    } cases[] = {
        {"fresh", "far 1 0 - 7 0 5\n", "", 0, 0, STATUS_USAGE},
        {"not yet old", "far 1 0 - 7 0 5\n", "", 0, LOCK_STALE - 30, STATUS_USAGE},
        {"old", "far 1 0 - 7 0 5\n", "", 0, LOCK_STALE + 30, STATUS_OK},
        {"another job", "far 1 0 - 7 0 5\n", "8", 1, 0, STATUS_USAGE},
        {"requeued", "far 1 0 - 7 0 5\n", "7", 1, 0, STATUS_OK},
        {"another step of the same start", "far 1 0 - 7 1 5\n", "7", 1, 0, STATUS_USAGE},
        {"no job on either side", "far 1 0 - - 0 5\n", "", 1, 0, STATUS_USAGE},
        {"empty, just begun", "", "", 0, 0, STATUS_USAGE},
        {"empty, old", "", "", 0, LOCK_STALE + 30, STATUS_OK},
        {"nonsense", "\xff\xfe", "", 0, 0, STATUS_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_lock *l = NULL;
        struct timespec t[2];
        const char *path = scratch_path(&folder, LOCK_NAME);
        scratch_write(path, cases[i].line, strlen(cases[i].line));
        clock_gettime(CLOCK_REALTIME, &t[0]);
        t[0].tv_sec -= cases[i].age;
        t[1] = t[0];
        assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
        status st = take(&l, folder.folder, cases[i].job, cases[i].start);
        if (st != cases[i].want) fail_msg("%s: status %d", cases[i].what, st);
        file_lock_release(l);
        unlink(scratch_path(&folder, LOCK_NAME));
    }
}

/* Sixteen processes at once find a lock whose owner is gone: one of them gets it, and keeps it
 * until all have tried. */
static void one_of_many_takes_it_over(void **state) {
    (void)state;
    enum { MANY = 16 };
    int go[2], result[2], end[2], took = 0;
    char byte;
    scratch_write(scratch_path(&folder, LOCK_NAME), "far 1 0 - 7 0 5\n", 16);
    assert_int_equal(pipe(go) | pipe(result) | pipe(end), 0);
    for (int i = 0; i < MANY; i++) {
        if (fork() != 0) continue;
        file_lock *l;
        close(go[1]);
        close(end[1]);
        bool ok = read(go[0], &byte, 1) == 0; /* until the parent closes it */
        byte = take(&l, folder.folder, "7", 1) == STATUS_OK ? 'x' : '-';
        ok = ok && write(result[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 0;
        _exit(ok ? 0 : 1);
    }
    close(go[1]);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(read(result[0], &byte, 1), 1);
        took += byte == 'x';
    }
    close(end[1]);
    for (int i = 0, how; i < MANY; i++) assert_true(wait(&how) > 0 && how == 0);
    for (int i = 0; i < 2; i++) close(result[i]);
    close(go[0]);
    close(end[0]);
    assert_int_equal(took, 1);
}

/* An owner that ends within the time that one waits. */
static void one_waits_for_what_is_about_to_end(void **state) {
    (void)state;
    file_lock *l = NULL;
    pid_t child = other_process(true);
    pid_t killer = fork();
    if (killer == 0) {
        usleep(300000);
        kill(child, SIGKILL);
        _exit(0);
    }
    assert_int_equal(
        file_lock_take(&l, folder.folder, &(file_lock_options){.job = "", .patience = 30}),
        STATUS_OK);
    waitpid(killer, NULL, 0);
    waitpid(child, NULL, 0);
    file_lock_release(l);
}

/* What others compare to see that they are in the same folder. */
static void a_lock_can_be_told_from_others(void **state) {
    (void)state;
    file_lock *l = NULL;
    char line[LOCK_LINE];
    assert_int_equal(take(&l, folder.folder, "a job, odd", 2), STATUS_OK);
    strcpy(line, file_lock_line(l));
    assert_true(file_lock_says(folder.folder, line));
    file_lock_release(l);
    assert_false(file_lock_says(folder.folder, line));
    assert_int_equal(take(&l, folder.folder, "a job, odd", 2), STATUS_OK);
    assert_false(file_lock_says(folder.folder, line));
    file_lock_release(l);
}

static void a_folder_that_cannot_be_written(void **state) {
    (void)state;
    file_lock *l = NULL;
    assert_int_equal(take(&l, scratch_path(&folder, "missing"), "", 0), STATUS_OUTPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_it_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(age_is_not_death, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dead_process_loses_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_living_process_keeps_it, setup, teardown),
        cmocka_unit_test_setup_teardown(other_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(one_of_many_takes_it_over, setup, teardown),
        cmocka_unit_test_setup_teardown(one_waits_for_what_is_about_to_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lock_can_be_told_from_others, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
