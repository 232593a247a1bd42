#include "io/files/text_lines.h"

#include "tests/base/capture.h"
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

static void lines_are_trimmed(void **state) {
    static const struct {
        const char *text, *line[3];
        int number[3];
    } table[] = {
        {"", {NULL}, {0}},
        {"\n \r\n\t\n", {NULL}, {0}},
        {"a b", {"a b"}, {1}},
        {"a\n\nb\t \r\nc", {"a", "b", "c"}, {1, 3, 4}},
        {"\xEF\xBB\xBFone\n", {"one"}, {1}},
        {"\xEF\xBB\xBF", {NULL}, {0}},
        {"\xEF\xBB", {"\xEF\xBB"}, {1}}, /* no mark, but a name for all we know */
        {"  indented\n", {"  indented"}, {1}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        text_lines l;
        const char *path = scratch_path(*state, "list");
        scratch_write(path, table[i].text, strlen(table[i].text));
        assert_int_equal(text_lines_open(&l, path), STATUS_OK);
        for (int k = 0; k < 3 && table[i].line[k]; k++) {
            const char *line = text_lines_next(&l);
            assert_non_null(line);
            assert_string_equal(line, table[i].line[k]);
            assert_int_equal(l.number, table[i].number[k]);
        }
        assert_null(text_lines_next(&l));
        assert_null(text_lines_next(&l));
        text_lines_close(&l);
    }
}

static void what_is_no_text_is_refused(void **state) {
    text_lines l;
    capture c;
    const char *path = scratch_path(*state, "utf16");
    scratch_write(path,
        "\xFF\xFE"
        "a\0\n\0",
        6);
    capture_begin(&c, 2);
    status st = text_lines_open(&l, path);
    text_lines_close(&l);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, "utf16: has a zero byte"));
    capture_begin(&c, 2);
    st = text_lines_open(&l, scratch_path(*state, "absent"));
    text_lines_close(&l);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, "absent: cannot be read: No such file"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_trimmed),
        cmocka_unit_test(what_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
