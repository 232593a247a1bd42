#include "io/dataset/unknown_values.h"

#include "io/dataset/label_oddities.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { ITEMS = 4 };
static layout_item item[ITEMS] = {
    {.label = "a.png"}, {.label = "b.png"}, {.label = "c.png"}, {.label = "d.png"}};
static const layout list = {.item = item, .items = ITEMS};

/* However items are dealt to ranks, each value is named where it is first, with all its pixels. */
static void parts_make_the_whole(void **state) {
    static const struct {
        uint32_t value;
        int item, x, y;
        int64_t n;
    } seen[] = {
        {7, 0, 3, 1, 2}, {7, 0, 0, 2, 5}, {9, 1, 1, 1, 1}, {7, 2, 4, 0, 10}, {8, 3, 0, 0, 1}};
    dataset_table t = {.classes = 3, .ignore = 255};
    (void)state;
    for (int cut = 0; cut <= ITEMS; cut++) {
        unknown_values part[2] = {{.maps = 1, .looked = 2}, {.maps = 3, .looked = 4}};
        for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
            unknown_values_add(&part[seen[i].item >= cut], seen[i].value, seen[i].item, seen[i].x,
                seen[i].y, seen[i].n);
        /* In either order. */
        int first = cut % 2;
        unknown_values_merge(&part[first], &part[1 - first]);
        capture c;
        capture_begin(&c, 2);
        assert_int_equal(unknown_values_report(&part[first], &t, &list, false), 3);
        capture_end(&c);
        const char *a = strstr(c.text, "a.png: label id 7 is neither a class (0 to 2)"),
                   *b = strstr(c.text, "b.png: label id 9"),
                   *d = strstr(c.text, "d.png: label id 8");
        assert_true(a && b && d && a < b && b < d);
        assert_non_null(strstr(c.text, "first at column 3, row 1; 17 pixels in 2 of 6 label maps"));
    }
}

/* Thousands of values, as blurred colours give, are few messages. */
static void many_values_are_counted(void **state) {
    unknown_values u = {.maps = 1, .looked = 1};
    dataset_table t = {.colours = {.count = 2}};
    capture c;
    (void)state;
    for (uint32_t value = 0; value < 1000; value++)
        unknown_values_add(&u, value, 0, (int)value, 0, 2);
    capture_begin(&c, 2);
    assert_int_equal(unknown_values_report(&u, &t, &list, true), UNKNOWN_KEPT);
    capture_end(&c);
    assert_non_null(strstr(c.text, "warning: a.png: colour 0 0 5 is none of the 2 colours"));
    assert_non_null(strstr(c.text, "1952 pixels more of other ids"));
}

static int oddities(const int64_t *pixels, int classes, int ignore, label_oddity *out) {
    static const char *const name[] = {"a", "b", "c"};
    label_shares s = {pixels, classes, ignore, name};
    return label_oddities(&s, out);
}

static void what_cannot_be_meant_is_told(void **state) {
    label_oddity odd[LABEL_ODDITIES];
    (void)state;
    assert_int_equal(oddities((int64_t[]){60, 0, 40}, 2, 255, odd), 1);
    assert_non_null(strstr(odd[0], "are \"a\", 60.0 %"));
    assert_non_null(strstr(odd[0], "dataset.label_map = \"0:0,255:1\" and dataset.ignore = -1"));
    assert_int_equal(oddities((int64_t[]){60, 0, 0}, 2, 255, odd), 1);
    assert_null(strstr(odd[0], "label_map"));
    assert_int_equal(oddities((int64_t[]){1, 0, 2, 0}, 3, 255, odd), 1);
    assert_string_equal(odd[0], "1 of 3 classes have no pixel: b");
    assert_int_equal(oddities((int64_t[]){1, 5, 2, 0}, 3, 255, odd), 0);
    assert_int_equal(oddities((int64_t[]){0, 0, 0, 9}, 3, 255, odd), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_make_the_whole),
        cmocka_unit_test(many_values_are_counted), cmocka_unit_test(what_cannot_be_meant_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
