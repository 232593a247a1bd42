#include "io/files/matrix_csv.h"

#include "io/files/file.h"
#include "src/base/memory.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { N = 3 };

static const char *const name[N] = {"sky", "a \"b\", c", "line\nend"};
static const int64_t counts[N * N] = {1, 0, 9007199254740993, 4, 5, 6, 0, 0, INT64_MAX};

static scratch place;

static int setup(void **state) {
    (void)state;
    scratch_create(&place);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&place);
    return 0;
}

static void a_matrix_is_a_csv_file(void **state) {
    (void)state;
    const char *path = scratch_path(&place, "m.csv");
    void *text;
    size_t size;
    assert_int_equal(matrix_csv_write(path, "label", name, N, counts), STATUS_OK);
    assert_int_equal(file_read(path, 1 << 20, &text, &size), STATUS_OK);
    assert_string_equal(text, "label,sky,\"a \"\"b\"\", c\",\"line\nend\"\n"
                              "sky,1,0,9007199254740993\n"
                              "\"a \"\"b\"\", c\",4,5,6\n"
                              "\"line\nend\",0,0,9223372036854775807\n");
    memory_free(text);
}

static void it_comes_back_exactly(void **state) {
    (void)state;
    const char *path = scratch_path(&place, "m.csv");
    int64_t back[N * N] = {0};
    bool same = false;
    assert_int_equal(matrix_csv_write(path, "label", name, N, counts), STATUS_OK);
    assert_int_equal(matrix_csv_read(path, name, N, back, &same), STATUS_OK);
    assert_true(same);
    assert_memory_equal(back, counts, sizeof counts);
}

static void other_names_are_told(void **state) {
    (void)state;
    static const char *const other[N] = {"sky", "b", "line\nend"};
    const char *path = scratch_path(&place, "m.csv");
    int64_t back[N * N] = {7};
    bool same = true;
    assert_int_equal(matrix_csv_write(path, "label", name, N, counts), STATUS_OK);
    assert_int_equal(matrix_csv_read(path, other, N, back, &same), STATUS_OK);
    assert_false(same);
    same = true;
    assert_int_equal(matrix_csv_read(path, name, 2, back, &same), STATUS_OK);
    assert_false(same);
    assert_int_equal(back[0], 7);
}

static void what_is_no_matrix_is_named(void **state) {
    (void)state;
    static const char *const bad[] = {"", "label", "label,a,b", "label,a,b\n", "label,a,b\na,1,2\n",
        "label,a,b\na,1,2\nb,3,x\n", "label,a,b\na,1,2\nb,3,-4\n", "label,a,b\na,1,2\nb,3,4,5\n",
        "label,a,b\na,1,2\nb,3\n", "label,a,b\na,1,2\nb,3,4\nc,5,6\n", "label,a,b\na,1,2\nc,3,4\n",
        "label,\"a,b\n", "label,a,b\na,1,2\nb,3,9223372036854775808\n"};
    static const char *const two[] = {"a", "b"};
    char path[256];
    strcpy(path, scratch_path(&place, "bad.csv"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t back[4] = {7, 7, 7, 7};
        bool same = false;
        assert_int_equal(file_write(path, bad[i], strlen(bad[i])), STATUS_OK);
        capture c;
        capture_begin(&c, STDERR_FILENO);
        status st = matrix_csv_read(path, two, 2, back, &same);
        capture_end(&c);
        if (st != STATUS_OUTPUT) fail_msg("taken for a matrix: %s", bad[i]);
        assert_non_null(strstr(c.text, "bad.csv"));
        assert_int_equal(back[0], 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_is_a_csv_file),
        cmocka_unit_test(it_comes_back_exactly),
        cmocka_unit_test(other_names_are_told),
        cmocka_unit_test(what_is_no_matrix_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
