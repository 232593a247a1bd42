/* Checksums: published values of XXH3, chaining. */
#include "src/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void test_known_values(void **state) {
    (void)state;
    assert_true(hash_bytes("", 0) == 0x2D06800538D394C2u);
    assert_true(hash_append(0, "abc", 3) == hash_bytes("abc", 3));
}

static void test_chaining(void **state) {
    (void)state;
    uint64_t ab = hash_append(hash_bytes("a", 1), "b", 1);
    uint64_t ba = hash_append(hash_bytes("b", 1), "a", 1);
    assert_true(ab != ba);
    assert_true(ab == hash_append(hash_bytes("a", 1), "b", 1));
}

static void test_text(void **state) {
    char text[17];
    (void)state;
    hash_text(0x0123456789ABCDEFu, text);
    assert_string_equal(text, "0123456789abcdef");
    hash_text(0, text);
    assert_string_equal(text, "0000000000000000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_chaining),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
