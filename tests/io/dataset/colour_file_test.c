#include "io/dataset/colour_file.h"

#include "io/dataset/label_colours.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static status read_text(const char *text, colour_file *f, capture *c) {
    scratch_write(scratch_path(&folder, "colours"), text, strlen(text));
    capture_begin(c, 2);
    status st = colour_file_read(scratch_path(&folder, "colours"), f);
    capture_end(c);
    return st;
}

/* The forms in which such tables go around, all of the same two colours. */
static void all_forms_are_read(void **state) {
    static const char *const forms[] = {"64 128 64\tAnimal\n0 0 192\tSide walk\n",
        "name,r,g,b\nAnimal,64,128,64\nSide walk,0,0,192\n",
        "r;g;b;name\n64;128;64;Animal\n0;0;192;Side walk\n",
        "# colours\n\n64, 128, 64, Animal # of any kind\r\n0,0,192 Side walk\r\n",
        "\xef\xbb\xbfName R G B\nAnimal 64 128 64\nSide walk 0 0 192"};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        capture c;
        colour_file f;
        assert_int_equal(read_text(forms[i], &f, &c), STATUS_OK);
        assert_int_equal(f.rows, 2);
        assert_string_equal(f.row[0].name, "Animal");
        assert_string_equal(f.row[1].name, "Side walk");
        assert_memory_equal(f.row[0].rgb, ((uint8_t[]){64, 128, 64}), 3);
        assert_memory_equal(f.row[1].rgb, ((uint8_t[]){0, 0, 192}), 3);
        colour_file_destroy(&f);
    }
}

static void a_name_may_hold_numbers_or_be_missing(void **state) {
    capture c;
    colour_file f;
    (void)state;
    assert_int_equal(read_text("1 2 3\n4 5 6 road 2\nroad 3 7 8 9\n", &f, &c), STATUS_OK);
    assert_int_equal(f.rows, 3);
    assert_string_equal(f.row[0].name, "");
    assert_string_equal(f.row[1].name, "road 2");
    assert_string_equal(f.row[2].name, "road 3");
    assert_memory_equal(f.row[2].rgb, ((uint8_t[]){7, 8, 9}), 3);
    colour_file_destroy(&f);
}

static void mistakes_are_named_with_their_line(void **state) {
    static const struct {
        const char *text, *message;
    } table[] = {{"1 2 3 a\n1 2\n", "line 2: \"R G B NAME\""},
        {"1 2 256 a\n", "line 1: 256 is above 255"}, {"1 2 -3 a\n", "line 1"},
        {"1 2 3a\n", "line 1"}, {"", "no colour"}, {"name,r,g,b\n", "no colour"},
        {"1 2 3 a name that is longer than any class was ever called by anybody at all\n",
            "line 1"},
        {"99999999999999999999 2 3 a\n", "above 255"}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        capture c;
        colour_file f = {NULL, -1};
        assert_int_equal(read_text(table[i].text, &f, &c), STATUS_USAGE);
        assert_non_null(strstr(c.text, table[i].message));
        assert_int_equal(f.rows, -1);
    }
}

static void void_is_void_in_any_case(void **state) {
    (void)state;
    assert_true(colour_file_is_void("Void") && colour_file_is_void("unlabelled"));
    assert_false(colour_file_is_void("background") || colour_file_is_void("avoid"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_forms_are_read),
        cmocka_unit_test(a_name_may_hold_numbers_or_be_missing),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(void_is_void_in_any_case)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
