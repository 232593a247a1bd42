#include "io/page/number.h"

#include "src/base/memory.h"
#include "tests/io/scratch.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MINUS "\xE2\x88\x92"
#define THIN "\xE2\x80\x89"
#define DASH "\xE2\x80\x93"

/* What the page shows; overwritten by the next call. */
static const char *shown(number_kind kind, double value) {
    static char text[NUMBER_TEXT];
    html h = {0};
    html_number(&h, kind, value);
    snprintf(text, sizeof text, "%.*s", (int)h.size, h.text);
    memory_free(h.text);
    return text;
}

static void kinds_have_their_own_form(void **state) {
    (void)state;
    static const struct {
        number_kind kind;
        double value;
        const char *text;
    } row[] = {
        {NUMBER_SHARE, 0.9034, "90.3"},
        {NUMBER_SHARE, 0.0034, "0.3"},
        {NUMBER_SHARE, 0.00001, "0.0"},
        {NUMBER_SHARE, -0.00001, "0.0"},
        {NUMBER_SHARE, 1, "100.0"},
        {NUMBER_SHARE, NAN, DASH},
        {NUMBER_COUNT, 0, "0"},
        {NUMBER_COUNT, 9999, "9999"},
        {NUMBER_COUNT, 1234567, "1" THIN "234" THIN "567"},
        {NUMBER_COUNT, -12345, MINUS "12" THIN "345"},
        {NUMBER_COUNT, INFINITY, DASH},
        {NUMBER_SECONDS, 0, "0.0"},
        {NUMBER_SECONDS, 0.004, "&lt;0.1"},
        {NUMBER_SECONDS, 0.05, "0.1"},
        {NUMBER_SECONDS, 43210.04, "43" THIN "210.0"},
        {NUMBER_PLAIN, 12.5, "12.50"},
        {NUMBER_PLAIN, 0.00123456, "0.001235"},
        {NUMBER_PLAIN, 9.99996, "10.00"},
        {NUMBER_PLAIN, 6130556.5, "6" THIN "131" THIN "000"},
        {NUMBER_PLAIN, 0, "0"},
        {NUMBER_PLAIN, -0.00004321, MINUS "4.321e-5"},
        {NUMBER_PLAIN, 1.5e300, "1.500e300"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_string_equal(shown(row[i].kind, row[i].value), row[i].text);
}

static void signs_belong_to_what_is_shown(void **state) {
    (void)state;
    html h = {0};
    assert_int_equal(html_signed(&h, 0.06, 1), 1);
    assert_int_equal(html_signed(&h, -0.04, 1), 0);
    assert_int_equal(html_signed(&h, -2.25, 1), -1);
    assert_int_equal(html_signed(&h, 0, 1), 0);
    html_bytes(&h, "", 1);
    assert_string_equal(h.text, "+0.10.0" MINUS "2.20.0");
    memory_free(h.text);
}

/* A locale with a decimal comma, made for this test: few machines have one. */
static bool use_comma(scratch *place) {
    static const char source[] = "LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"\"\n"
                                 "grouping -1\nEND LC_NUMERIC\n";
    char command[512];
    FILE *f = fopen(scratch_path(place, "source"), "w");
    assert_non_null(f);
    fputs(source, f);
    fclose(f);
    snprintf(command, sizeof command, "localedef -c -i %s %s/comma 2>/dev/null", place->path,
        place->folder);
    int made = system(command); /* 1: with warnings, of what the source leaves out */
    assert_int_equal(setenv("LOCPATH", place->folder, 1), 0);
    return made != -1 && setlocale(LC_NUMERIC, "comma") != NULL;
}

static void no_locale_changes_a_number(void **state) {
    (void)state;
    scratch place;
    char text[NUMBER_TEXT];
    scratch_create(&place);
    bool set = use_comma(&place);
    if (set) {
        snprintf(text, sizeof text, "%.1f", 0.5);
        assert_string_equal(text, "0,5"); /* the locale does what it is here for */
        number_fixed(text, -1234.5, 2);
        assert_string_equal(text, "-1234.50");
        number_significant(text, 0.00123456);
        assert_string_equal(text, "0.001235");
        setlocale(LC_ALL, "C");
    }
    scratch_destroy(&place);
    if (!set) skip(); /* no localedef */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_their_own_form),
        cmocka_unit_test(signs_belong_to_what_is_shown),
        cmocka_unit_test(no_locale_changes_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
