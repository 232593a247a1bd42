/* Mapped files: their bytes; a process whose file was cut short ends with a message and a code; one
 * that meets SIGBUS elsewhere, as ever. */
#include "src/base/mapped.h"

#include "src/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 3 };

static char path[] = "/tmp/mapped-XXXXXX";
static int fd;
static size_t page;

/* A file of PAGES pages, filled with 7. */
static void make(void) {
    char *text = memory_alloc(PAGES, page, "test");
    memset(text, 7, PAGES * page);
    assert_int_equal(pwrite(fd, text, PAGES * page, 0), PAGES * page);
    memory_free(text);
}

/* What the child of a fork did: its status; text [size]: what it wrote. */
static int in_child(void (*work)(void), char *text, size_t size) {
    int ends[2], ended;
    size_t used = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        work();
        _exit(99);
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], text + used, size - 1 - used)) > 0;) used += (size_t)n;
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    return ended;
}

static void test_bytes(void **state) {
    (void)state;
    void *p;
    make();
    assert_int_equal(mapped_create(path, fd, page, 2 * page, &p), STATUS_OK);
    for (size_t i = 0; i < 2 * page; i++) assert_int_equal(((const char *)p)[i], 7);
    mapped_destroy(p, 2 * page);
    mapped_destroy(NULL, 5);
    assert_int_equal(mapped_create(path, -1, 0, page, &p), STATUS_FAILED);
}

static void read_what_is_gone(void) {
    void *p, *whole;
    int other = open("/dev/zero", O_RDONLY);
    if (mapped_create("another", other, 0, page, &whole) != STATUS_OK) _exit(98);
    if (mapped_create(path, fd, 0, PAGES * page, &p) != STATUS_OK) _exit(98);
    if (ftruncate(fd, (off_t)page) != 0) _exit(98);
    volatile const char *bytes = p;
    if (bytes[page - 1] != 7) _exit(97);
    (void)bytes[2 * page];
}

/* The table is full: the file is read, but not named. */
static void read_one_of_many(void) {
    void *p;
    for (int i = 0; i < 20; i++)
        if (mapped_create("one of many", fd, 0, page, &p) != STATUS_OK) _exit(98);
    if (*(const char *)p != 7) _exit(97);
    _exit(0);
}

static void read_what_is_not_ours(void) {
    void *p;
    if (mapped_create(path, fd, 0, page, &p) != STATUS_OK) _exit(98);
    mapped_destroy(p, page);
    volatile const char *bytes = mmap(NULL, PAGES * page, PROT_READ, MAP_SHARED, fd, 0);
    if (ftruncate(fd, 0) != 0) _exit(98);
    (void)bytes[0];
}

static void test_a_file_that_is_cut_short_is_named(void **state) {
    (void)state;
    char text[4096];
    make();
    int ended = in_child(read_what_is_gone, text, sizeof text);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), STATUS_FAILED);
    assert_non_null(strstr(text, path));
    assert_null(strstr(text, "another"));
}

static void test_a_full_table(void **state) {
    (void)state;
    char text[4096];
    make();
    int ended = in_child(read_one_of_many, text, sizeof text);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
}

static void test_other_faults_stay_what_they_are(void **state) {
    (void)state;
    char text[4096];
    make();
    signal(SIGBUS, SIG_DFL);
    int ended = in_child(read_what_is_not_ours, text, sizeof text);
    assert_true(WIFSIGNALED(ended));
    assert_int_equal(WTERMSIG(ended), SIGBUS);
}

int main(void) {
    /* cmocka has a handler of its own in each test: the program's must be installed in the children
     * alone, and stay there. */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_faults_stay_what_they_are),
        cmocka_unit_test(test_a_file_that_is_cut_short_is_named),
        cmocka_unit_test(test_a_full_table), cmocka_unit_test(test_bytes)};
    page = (size_t)sysconf(_SC_PAGESIZE);
    fd = mkstemp(path);
    int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
