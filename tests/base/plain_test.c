#include "src/base/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void controls_become_visible(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"layer1.0.conv1.weight", "layer1.0.conv1.weight"}, {"a\x1b[2J", "a\\x1b[2J"},
        {"\r\a\b\x7f", "\\x0d\\x07\\x08\\x7f"}, {"two\nlines\tof", "two\nlines\tof"},
        {"r\xc3\xa9seau", "r\xc3\xa9seau"},
        {"\xc2\x9b"
         "2J\xc2\xa0",
            "\\xc2\\x9b2J\xc2\xa0"},
        {"end\xc2", "end\xc2"}, {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        assert_int_equal(plain_text(out, sizeof out, cases[i].in), strlen(cases[i].out));
        assert_string_equal(out, cases[i].out);
    }
}

/* An escape is written whole or not at all. */
static void what_is_long_is_cut(void **state) {
    (void)state;
    char out[8];
    for (size_t size = 1; size <= sizeof out; size++) {
        size_t n = plain_text(out, size, "ab\x1b\x1b");
        assert_int_equal(n, size <= 2 ? size - 1 : size < 7 ? 2 : 6);
        assert_int_equal(strlen(out), n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_become_visible),
        cmocka_unit_test(what_is_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
