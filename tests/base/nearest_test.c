/* Edit distances. */
#include "src/base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void test_distance(void **state) {
    static const struct {
        const char *a, *b;
        int distance;
    } cases[] = {{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1},
        {"abc", "bc", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}, {"Crop", "crop", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(nearest_distance(cases[i].a, cases[i].b), cases[i].distance);
}

static void test_long_words(void **state) {
    char a[5000], b[5000];
    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    assert_int_equal(nearest_distance(a, a), 0);
    assert_int_equal(nearest_distance(a, b), 63);
}

static void test_nearest(void **state) {
    static const char *const known[] = {"pack", "cluster", "score", "scale"};
    (void)state;
    assert_int_equal(nearest_word("clutser", known, 4), 1);
    assert_int_equal(nearest_word("scole", known, 4), 2); /* the first of two at distance 1 */
    assert_int_equal(nearest_word("", known, 4), 0);
    assert_int_equal(nearest_word("x", known, 0), -1);
}

static void test_hints(void **state) {
    static const char *const known[] = {"pack", "cluster", "score", "scale"};
    char text[NEAREST_HINT];
    (void)state;
    assert_string_equal(nearest_hint(text, "clutser", known, 4), ": did you mean cluster?");
    assert_string_equal(nearest_hint(text, "pakc", known, 4), ": did you mean pack?");
    assert_string_equal(nearest_hint(text, "banana", known, 4), "");
    assert_string_equal(nearest_hint(text, "", known, 4), "");
    assert_string_equal(nearest_hint(text, "x", known, 0), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
