#include "io/files/file.h"
#include "io/files/metrics.h"
#include "io/files/metrics_rows.h"
#include "src/base/memory.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state) {
    static scratch s;
    scratch_create(&s);
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    scratch_destroy(*state);
    return 0;
}

/* Steps first .. last of a stage; the loss tells who wrote them. */
static void write_steps(
    const char *path, const char *stage, int round, int first, int last, double loss) {
    metrics *m;
    assert_int_equal(metrics_open(&m, path, stage, round, first - 1), STATUS_OK);
    for (int step = first; step <= last; step++) {
        metrics_row row = METRICS_EMPTY(stage, round, step);
        row.loss = loss + step;
        assert_int_equal(metrics_write(m, &row), STATUS_OK);
    }
    metrics_close(m);
}

static int count_steps(const metrics_row *rows, int n, const char *stage, int round) {
    int count = 0;
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].stage, stage) == 0 && rows[i].round == round)
            assert_int_equal(rows[i].step, ++count); /* in order, none twice */
    return count;
}

static void restart_leaves_no_duplicates(void **state) {
    const char *path = scratch_path(*state, "metrics.csv");
    metrics_row *rows;
    int n;
    write_steps(path, "pretrain", 1, 1, 10, 100);
    write_steps(path, "finetune", 1, 1, 5, 0);
    write_steps(path, "pretrain", 2, 1, 3, 0);
    write_steps(path, "pretrain", 1, 7, 12, 200); /* restarted after step 6 */
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 12 + 5 + 3);
    assert_int_equal(count_steps(rows, n, "pretrain", 1), 12);
    assert_int_equal(count_steps(rows, n, "finetune", 1), 5);
    assert_int_equal(count_steps(rows, n, "pretrain", 2), 3);
    assert_true(rows[5].loss == 106);
    assert_true(rows[n - 6].loss == 207);
    assert_true(isnan(rows[0].learning_rate));
    assert_false(file_exists(scratch_path(*state, "metrics.csv" FILE_TEMPORARY)));
    memory_free(rows);
}

static void every_column_comes_back(void **state) {
    const char *path = scratch_path(*state, "columns.csv");
    const metrics_row row = {
        "cluster", 3, INT64_MAX, 1.5, -2e-30, 3e30, 4, 5, 6, 7, 8, 9, 10.25, 11, 12.5, 13, 0.25};
    metrics *m;
    metrics_row *rows;
    int n;
    assert_int_equal(metrics_open(&m, path, "cluster", 3, 0), STATUS_OK);
    assert_int_equal(metrics_write(m, &row), STATUS_OK);
    assert_int_equal(metrics_write(NULL, &row), STATUS_OK);
    metrics_close(m);
    metrics_close(NULL);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].stage, "cluster");
    assert_int_equal(rows[0].round, 3);
    assert_true(rows[0].step == INT64_MAX);
    const double *have = &rows[0].loss, *want = &row.loss;
    for (int i = 0; i < 14; i++) assert_true(have[i] == want[i]);
    memory_free(rows);
}

static void torn_and_broken_rows_are_left_out(void **state) {
    const char *path = scratch_path(*state, "torn.csv");
    char *text;
    size_t bytes;
    metrics_row *rows;
    int n;
    write_steps(path, "a", 1, 1, 4, 0);
    assert_int_equal(file_read(path, 1 << 20, (void **)&text, &bytes), STATUS_OK);
    scratch_write(path, text, bytes - 3);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 3);
    memory_free(rows);
    write_steps(path, "b", 1, 1, 1, 0);
    FILE *f = fopen(path, "a");
    fputs("a,1,x,1,,,,,,,,,\na,1\na,1,5,1,,,,,,,,,,\n,1,5,1,,,,,,,,,\n\n", f);
    fclose(f);
    write_steps(path, "b", 1, 2, 2, 0);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 5);
    assert_int_equal(count_steps(rows, n, "a", 1), 3);
    assert_int_equal(count_steps(rows, n, "b", 1), 2);
    memory_free(rows);
    memory_free(text);
}

static void what_is_no_file_is_refused(void **state) {
    const char *path = scratch_path(*state, "other.csv");
    metrics *m = NULL;
    metrics_row *rows = NULL;
    int n;
    assert_int_equal(metrics_read(scratch_path(*state, "absent"), &rows, &n), STATUS_OUTPUT);
    assert_int_equal(metrics_open(&m, (*(scratch **)state)->folder, "a", 1, 0), STATUS_OUTPUT);
    assert_int_equal(metrics_open(&m, scratch_path(*state, "no/m.csv"), "a", 1, 0), STATUS_OUTPUT);
    assert_null(m);
    assert_null(rows);
    path = scratch_path(*state, "empty.csv"); /* killed before its first write */
    scratch_write(path, "", 0);
    write_steps(path, "a", 1, 1, 2, 0);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 2);
    memory_free(rows);
}

/* No memory for the text, or for the rows, is no fault of the file's. */
static void no_memory_is_no_damage(void **state) {
    const char *path = scratch_path(*state, "memory.csv");
    metrics_row *rows;
    int n;
    write_steps(path, "pretrain", 1, 1, 3, 0);
    for (int i = 1, counted = 0; i <= 2; i++) {
        char number[16];
        counted += i;
        snprintf(number, sizeof number, "%d", counted);
        setenv("AUXSEG_HOOK_MEMORY", number, 1);
        assert_int_equal(metrics_read(path, &rows, &n), STATUS_FAILED);
    }
    unsetenv("AUXSEG_HOOK_MEMORY");
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 3);
    memory_free(rows);
}

/* Every bit, and every end but those between two rows: what was written later cannot be known. */
static void every_damage_is_found(void **state) {
    const char *path = scratch_path(*state, "flipped.csv");
    char *text;
    size_t bytes;
    bool checked = false;
    write_steps(path, "pretrain", 1, 1, 4, 0.25);
    assert_int_equal(metrics_verify(path, &checked), STATUS_OK);
    assert_true(checked);
    assert_int_equal(file_read(path, 1 << 20, (void **)&text, &bytes), STATUS_OK);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        scratch_write(path, text, bytes);
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(metrics_verify(path, &checked), STATUS_OUTPUT);
    }
    for (size_t end = 1; end < bytes; end++) {
        if (text[end - 1] == '\n') continue;
        scratch_write(path, text, end);
        assert_int_equal(metrics_verify(path, &checked), STATUS_OUTPUT);
    }
    /* A row that is gone is found by its number. */
    char *second = strstr(text, "pretrain,1,2"), *third = strstr(text, "pretrain,1,3");
    size_t gone = (size_t)(third - second);
    memmove(second, third, bytes - (size_t)(third - text));
    scratch_write(path, text, bytes - gone);
    assert_int_equal(metrics_verify(path, &checked), STATUS_OUTPUT);
    memory_free(text);
}

/* A damaged first line and a damaged row: the others stay, and the file as it was. */
static void what_is_whole_is_kept(void **state) {
    const char *path = scratch_path(*state, "kept.csv");
    char *text;
    size_t bytes;
    metrics_row *rows;
    int n;
    write_steps(path, "a", 1, 1, 4, 0);
    assert_int_equal(file_read(path, 1 << 20, (void **)&text, &bytes), STATUS_OK);
    text[2] = 'o';
    *strstr(text, "a,1,2,2") = 'b';
    scratch_write(path, text, bytes);
    memory_free(text);
    write_steps(path, "b", 1, 1, 1, 0);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 4);
    assert_int_equal(count_steps(rows, n, "b", 1), 1);
    memory_free(rows);
    assert_true(file_exists(scratch_path(*state, "kept.csv.damaged")));
    path = scratch_path(*state, "foreign.csv");
    scratch_write(path, "a,b\n1,2\n", 8);
    write_steps(path, "b", 1, 1, 1, 0);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(n, 1);
    memory_free(rows);
}

/* Rows without checks get them when the file is written again. */
static void older_files_are_continued(void **state) {
    static const char text[] =
        "stage,round,step,loss,learning_rate,gradient_norm,anchors,objective,imbalance,changed,"
        "kept,repaired,seconds,assign,update,exchange\n"
        "a,1,1,0.5,,,,,,,,,,,,\na,1,2,0.25,,,,,,,,,,,,\n";
    const char *path = scratch_path(*state, "older.csv");
    metrics_row *rows;
    bool checked = true;
    int n;
    scratch_write(path, text, strlen(text));
    assert_int_equal(metrics_verify(path, &checked), STATUS_OK);
    assert_false(checked);
    write_steps(path, "a", 1, 2, 3, 0);
    assert_int_equal(metrics_verify(path, &checked), STATUS_OK);
    assert_true(checked);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(count_steps(rows, n, "a", 1), 3);
    assert_true(rows[0].loss == 0.5);
    memory_free(rows);
}

/* Rows of a version without the mIoU have a check each, which is made anew with the column. */
static void rows_without_the_last_column_are_continued(void **state) {
    static const char head[] =
        "stage,round,step,loss,learning_rate,gradient_norm,anchors,objective,imbalance,changed,"
        "kept,repaired,seconds,assign,update,exchange,check\n";
    static const char row[] = "a,1,1,0.5,,,,,,,,,,,,";
    const char *path = scratch_path(*state, "short.csv");
    char text[512], check[METRICS_CHECK];
    metrics_row *rows;
    bool checked = false;
    int n;
    metrics_check(row, check);
    snprintf(text, sizeof text, "%s%s%s\n", head, row, check);
    scratch_write(path, text, strlen(text));
    assert_int_equal(metrics_verify(path, &checked), STATUS_OK);
    assert_true(checked);
    write_steps(path, "a", 1, 2, 2, 0);
    assert_int_equal(metrics_verify(path, &checked), STATUS_OK);
    assert_int_equal(metrics_read(path, &rows, &n), STATUS_OK);
    assert_int_equal(count_steps(rows, n, "a", 1), 2);
    assert_true(rows[0].loss == 0.5 && isnan(rows[0].miou));
    memory_free(rows);
    assert_false(file_exists(scratch_path(*state, "short.csv.damaged")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_leaves_no_duplicates),
        cmocka_unit_test(every_column_comes_back),
        cmocka_unit_test(torn_and_broken_rows_are_left_out),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(no_memory_is_no_damage),
        cmocka_unit_test(every_damage_is_found),
        cmocka_unit_test(what_is_whole_is_kept),
        cmocka_unit_test(older_files_are_continued),
        cmocka_unit_test(rows_without_the_last_column_are_continued),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
