/* Lines of the log: whose, where, whole. */
#include "src/base/log.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, MESSAGES = 50 };

static capture out;

static void test_prefix(void **state) {
    (void)state;
    capture_begin(&out, STDERR_FILENO);
    log_set_rank(0, 1);
    log_error("%s: broken", "a.png");
    log_set_rank(3, 4);
    log_warn("%d left", 2);
    log_set_rank(0, 1);
    capture_end(&out);
    assert_string_equal(out.text, "auxseg: error: a.png: broken\n"
                                  "auxseg: rank 3: warning: 2 left\n");
}

static void test_rank_0_informs(void **state) {
    (void)state;
    capture_begin(&out, STDOUT_FILENO);
    printf("before\n");
    log_info("zero");
    log_set_rank(1, 2);
    log_info("one");
    progress p = progress_begin("stage", "steps", 0, 10);
    progress_end(&p, 10, "");
    log_set_rank(0, 1);
    capture_end(&out);
    assert_string_equal(out.text, "before\nzero\n");
}

static void test_long_line_is_cut(void **state) {
    static char text[9000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    capture_begin(&out, STDERR_FILENO);
    log_error("%s", text);
    log_error("next");
    capture_end(&out);
    assert_int_equal(capture_lines(&out), 2);
    assert_non_null(strstr(out.text, "x\nauxseg: error: next\n"));
}

/* A file may be called so. */
static void test_names_add_no_line(void **state) {
    (void)state;
    capture_begin(&out, STDERR_FILENO);
    log_error("%s: broken", "a\nauxseg: error: all is lost\n.png");
    capture_end(&out);
    assert_string_equal(
        out.text, "auxseg: error: a\\x0aauxseg: error: all is lost\\x0a.png: broken\n");
}

static void *chatter(void *text) {
    for (int i = 0; i < MESSAGES; i++) log_error("%s", (const char *)text);
    return NULL;
}

static void test_threads_write_whole_lines(void **state) {
    static const char *const word[THREADS] = {
        "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd"};
    pthread_t thread[THREADS];
    (void)state;
    capture_begin(&out, STDERR_FILENO);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, chatter, (void *)(uintptr_t)word[i]);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    capture_end(&out);
    assert_int_equal(capture_lines(&out), THREADS * MESSAGES);
    char *rest = out.text;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        assert_int_equal(strlen(line), strlen("auxseg: error: aaaaaaaaaa"));
        for (const char *c = line + 16; *c; c++) assert_int_equal(*c, line[15]);
    }
}

/* In a job log: nothing in the first second, then a line now and then. */
static void test_progress_in_a_job_log(void **state) {
    (void)state;
    capture_begin(&out, STDOUT_FILENO);
    progress p = progress_begin("pretrain", "steps", 100, 300);
    progress_update(&p, 110, "");
    p.started -= 10;
    p.printed -= 10;
    progress_update(&p, 200, "loss 2.5");
    progress_update(&p, 201, "loss 2.4");
    p.printed -= 40;
    p.pause = 32;
    progress_update(&p, 202, "");
    progress_end(&p, 300, "loss 2.1");
    capture_end(&out);
    assert_int_equal(capture_lines(&out), 3);
    /* 100 steps in 10 s: those done before this start do not count. */
    assert_non_null(
        strstr(out.text, "pretrain: 200 of 300 steps, 10 steps/s, 0:10 left, loss 2.5\n"));
    assert_non_null(
        strstr(out.text, "pretrain: 300 of 300 steps, 20 steps/s, 0:10 taken, loss 2.1\n"));
    assert_null(strchr(out.text, '\r'));
}

/* Rank 0 knows of its own images only, and does not pass them off as all of them. */
static void test_progress_of_a_share(void **state) {
    (void)state;
    capture_begin(&out, STDOUT_FILENO);
    progress p = progress_begin_share("extract", "images", 6, 12);
    progress q = progress_begin_share("extract", "images", 6, 6);
    p.started = q.started -= 10;
    p.printed = q.printed -= 10;
    progress_update(&p, 3, "");
    progress_update(&q, 3, "");
    progress_end(&p, 6, "");
    progress_end(&q, 6, "");
    capture_end(&out);
    assert_string_equal(out.text,
        "extract: 3 of rank 0's 6 images, 12 on all ranks, 0.3 images/s a rank, 0:10 left\n"
        "extract: 3 of 6 images, 0.3 images/s, 0:10 left\n");
}

/* "14:03:59 " */
static bool begins_with_time(const char *line) {
    static const char form[] = "dd:dd:dd ";
    for (int i = 0; form[i]; i++)
        if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i]) return false;
    return true;
}

static void test_lines_of_a_job_have_times(void **state) {
    static const char *const rest[] = {
        "date 2", "first", "work: 5 of 10 steps, 0.5 steps/s, 0:10 left", "second", NULL};
    (void)state;
    capture_begin(&out, STDOUT_FILENO);
    log_set_times(true);
    log_info("first");
    progress p = progress_begin("work", "steps", 0, 10);
    p.started -= 10;
    p.printed -= 10;
    progress_update(&p, 5, "");
    log_info("second");
    capture_end(&out);
    char *at = out.text;
    for (int i = 0; rest[i]; i++) {
        char *line = strsep(&at, "\n");
        assert_true(begins_with_time(line));
        assert_memory_equal(line + 9, rest[i], strlen(rest[i]));
    }
    assert_string_equal(at, "");
    capture_begin(&out, STDERR_FILENO);
    log_error("broken");
    capture_end(&out);
    log_set_times(false);
    assert_true(begins_with_time(out.text));
    assert_string_equal(out.text + 9, "auxseg: error: broken\n");
}

static void test_details(void **state) {
    (void)state;
    capture_begin(&out, STDOUT_FILENO);
    log_detail("a row of a table");
    log_set_verbose(true);
    log_detail("%s row", "another");
    log_set_rank(1, 2);
    log_detail("not rank 0's");
    log_set_rank(0, 1);
    log_set_verbose(false);
    capture_end(&out);
    assert_string_equal(out.text, "another row\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_rank_0_informs),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_names_add_no_line),
        cmocka_unit_test(test_threads_write_whole_lines),
        cmocka_unit_test(test_progress_in_a_job_log),
        cmocka_unit_test(test_progress_of_a_share),
        cmocka_unit_test(test_lines_of_a_job_have_times),
        cmocka_unit_test(test_details),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
