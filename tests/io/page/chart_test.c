#include "io/page/chart.h"

#include "io/page/chart_axis.h"
#include "src/base/memory.h"
#include "tests/io/page/markup.h"

#include <math.h>
#include <stdlib.h>

#define MINUS "\xE2\x88\x92"

/* Labels of an axis, apart by blanks; overwritten by the next call. */
static const char *labels(axis a) {
    static char text[AXIS_TICKS * (AXIS_TEXT + 1)];
    text[0] = '\0';
    for (int i = 0; i < a.ticks; i++) {
        assert_true(axis_place(&a, a.tick[i].value) > -1e-6);
        assert_true(axis_place(&a, a.tick[i].value) < 1 + 1e-6);
        assert_true(i == 0 || a.tick[i].value > a.tick[i - 1].value);
        if (i > 0) strcat(text, " ");
        strcat(text, a.tick[i].text);
    }
    return text;
}

static void linear_ticks_are_round(void **state) {
    (void)state;
    assert_string_equal(labels(axis_linear(0.27, 2.6, 6, false)), "0.5 1.0 1.5 2.0 2.5");
    assert_string_equal(labels(axis_linear(0, 1, 6, false)), "0 0.2 0.4 0.6 0.8 1.0");
    assert_string_equal(labels(axis_linear(1, 300, 6, true)), "50 100 150 200 250 300");
    assert_string_equal(labels(axis_linear(1, 3, 6, true)), "1 2 3");
    assert_string_equal(labels(axis_linear(-1.1, 0.9, 6, false)), MINUS "1.0 " MINUS "0.5 0 0.5");
    assert_string_equal(labels(axis_linear(0, 31000, 6, false)), "0 10k 20k 30k");
    assert_string_equal(labels(axis_linear(10300, 11600, 6, false)), "10.5k 11.0k 11.5k");
    assert_string_equal(labels(axis_linear(1.2e8, 1.9e8, 6, false)), "120M 140M 160M 180M");
    assert_string_equal(labels(axis_linear(0, 2.5e-6, 6, false)),
        "0 0.5\xC3\x97"
        "10\xE2\x81\xBB\xE2\x81\xB6 1.0\xC3\x97"
        "10\xE2\x81\xBB\xE2\x81\xB6 1.5\xC3\x97"
        "10\xE2\x81\xBB\xE2\x81\xB6 2.0\xC3\x97"
        "10\xE2\x81\xBB\xE2\x81\xB6 2.5\xC3\x97"
        "10\xE2\x81\xBB\xE2\x81\xB6");
}

static void any_range_has_few_ticks(void **state) {
    (void)state;
    for (double low = -1e9; low < 2e9; low += 7.3e7)
        for (double range = 1e-3; range < 1e12; range *= 1.7) {
            axis a = axis_linear(low, low + range, 6, false);
            assert_in_range(a.ticks, 1, 6);
            assert_true(range < 1 || a.ticks >= 2);
        }
    for (double low = 1e-40; low < 1e40; low *= 37)
        for (double ratio = 1; ratio < 1e60; ratio *= 2.9) {
            axis a = axis_log(low, low * ratio, 6);
            assert_in_range(a.ticks, 1, AXIS_TICKS);
            assert_true(ratio < 10 || a.ticks >= 2);
        }
}

static void logarithmic_ticks_are_powers_of_ten(void **state) {
    (void)state;
    assert_string_equal(labels(axis_log(0.5, 2000, 6)), "1 10 100 1000");
    assert_string_equal(labels(axis_log(6e-3, 0.3, 6)), "0.01 0.02 0.05 0.1 0.2");
    assert_string_equal(labels(axis_log(2, 5, 6)), "2 3 4 5");
    assert_string_equal(labels(axis_log(1e-12, 1, 6)),
        "10\xE2\x81\xBB\xC2\xB9\xC2\xB2 10\xE2\x81\xBB\xE2\x81\xB9 10\xE2\x81\xBB\xE2\x81\xB6 "
        "0.001 1");
}

static void equal_values_get_room(void **state) {
    (void)state;
    static const double value[] = {0, 1, -5, 1e-30, 3e50};
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        axis a = axis_linear(value[i], value[i], 6, false);
        assert_true(a.low < value[i] && value[i] < a.high);
        assert_true(a.ticks > 0);
        assert_true(fabs(axis_place(&a, value[i]) - 0.5) < 1e-6);
    }
    axis log = axis_log(7, 7, 6);
    assert_true(log.low > 0 && log.low < 7 && log.high > 7);
}

enum { MANY = 100000 };

/* A long curve with one spike up, one down, and a wide gap; owned by the caller. */
static chart_line long_line(double **owned) {
    double *x = malloc(2 * MANY * sizeof *x), *y = x + MANY;
    assert_non_null(x);
    for (int i = 0; i < MANY; i++) {
        x[i] = i + 1;
        y[i] = 1 + 0.1 * sin(i * 0.37);
        if (i >= 50000 && i < 60000) y[i] = NAN;
    }
    y[12345] = 50;
    y[77777] = -50;
    *owned = x;
    return (chart_line){x, y, MANY};
}

static bool kept_has(const int *kept, int n, int index) {
    for (int i = 0; i < n; i++)
        if (kept[i] == index) return true;
    return false;
}

static void thinning_keeps_spikes_ends_and_gaps(void **state) {
    (void)state;
    enum { COLUMNS = 300 };
    double *owned;
    chart_line line = long_line(&owned);
    int *kept = malloc(MANY * sizeof *kept), gaps = 0;
    axis x = axis_linear(1, MANY, 6, true);
    int n = chart_thin(&line, &x, false, COLUMNS, kept);
    assert_in_range(n, COLUMNS, 4 * COLUMNS);
    assert_true(kept_has(kept, n, 0));
    assert_true(kept_has(kept, n, MANY - 1));
    assert_true(kept_has(kept, n, 12345));
    assert_true(kept_has(kept, n, 77777));
    for (int i = 0; i < n; i++) {
        assert_true(i == 0 || kept[i] > kept[i - 1]);
        gaps += isnan(line.y[kept[i]]);
    }
    /* A tenth of the columns, one each; its ends are in columns that have values. */
    assert_in_range(gaps, COLUMNS / 10 - 2, COLUMNS / 10);
    /* What is not above 0 is a gap of a logarithmic axis. */
    n = chart_thin(&line, &x, true, COLUMNS, kept);
    assert_false(kept_has(kept, n, 77777));
    free(kept);
    free(owned);
}

static void few_points_all_stay(void **state) {
    (void)state;
    const double x[] = {1, 1, 1, 1, 2, 3}, y[] = {5, NAN, 4, 4, 4, 4};
    chart_line line = {x, y, 6};
    int kept[6];
    axis a = axis_linear(1, 3, 6, true);
    assert_int_equal(chart_thin(&line, &a, false, 100, kept), 6);
}

/* The chart as text, checked; owned by the caller (memory_free). */
static char *draw(const chart *c) {
    html h = {0};
    chart_put(&h, c);
    html_bytes(&h, "", 1);
    assert_int_equal(h.result, STATUS_OK);
    markup_check(h.text);
    return h.text;
}

static void series_have_a_legend_and_escaped_texts(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {0.5, 0.25, 0.75};
    const chart_series two[] = {{"round <1>", {x, y, 3}, {0}}, {"b & c", {x, y, 3}, {x, y, 3}}};
    chart c = {"Loss \"of\" it", "step", "loss <s>", CHART_FIT, two, 2, false};
    char *text = draw(&c);
    assert_has(text, "aria-label=\"Loss &quot;of&quot; it: round &lt;1&gt;, 3 points, from 0.5000 "
                     "to 0.7500; b &amp; c");
    assert_has(text, ">loss &lt;s&gt;</text>");
    assert_has(text, ">step</text>");
    assert_has(text, "</svg>round &lt;1&gt;</span>");
    assert_has(text, "class=\"raw c1\"");
    assert_has(text, "class=\"curve c1 l0\"");
    assert_has(text, ">0.4</text>");
    memory_free(text);
    c.count = 1;
    text = draw(&c);
    assert_lacks(text, "legend");
    memory_free(text);
    c.named = true;
    text = draw(&c);
    assert_has(text, "</svg>round &lt;1&gt;</span>");
    memory_free(text);
}

/* The path data of the first strong curve; cut off in `text`. */
static const char *curve_path(char *text) {
    char *at = strstr(text, "class=\"curve");
    assert_non_null(at);
    at = strstr(at, " d=\"") + 4;
    *strchr(at, '"') = '\0';
    return at;
}

static void gaps_interrupt_a_curve(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {1, 2, NAN, 3, INFINITY, 2, 1};
    const chart_series s = {"", {x, y, 7}, {0}};
    char *text = draw(&(chart){"t", "x", "y", CHART_FIT, &s, 1, false});
    const char *path = curve_path(text);
    assert_int_equal(markup_count(path, "M"), 3);
    assert_int_equal(markup_count(path, "L"), 2);
    assert_int_equal(markup_count(path, "h0"), 1); /* the point between two gaps */
    assert_lacks(path, "nan");
    assert_lacks(path, "inf");
    memory_free(text);
}

static void a_long_curve_is_a_short_text(void **state) {
    (void)state;
    double *owned;
    chart_line line = long_line(&owned);
    const chart_series s = {"", line, {0}};
    char *text = draw(&(chart){"t", "x", "y", CHART_FIT, &s, 1, false});
    assert_in_range(strlen(text), 1000, 30000);
    char *again = draw(&(chart){"t", "x", "y", CHART_FIT, &s, 1, false});
    assert_string_equal(text, again);
    memory_free(text);
    memory_free(again);
    free(owned);
}

static void one_point_is_a_dot_and_none_is_nothing(void **state) {
    (void)state;
    const double x[] = {7, 8}, y[] = {3, NAN};
    chart_series s = {"", {x, y, 1}, {0}};
    const chart c = {"t", "x", "y", CHART_LOG, &s, 1, false};
    assert_true(chart_has_points(&c));
    char *text = draw(&c);
    assert_has(text, ">7</text>");
    assert_has(curve_path(text), "h0");
    memory_free(text);
    s.line = (chart_line){x + 1, y + 1, 1};
    assert_false(chart_has_points(&c));
    text = draw(&c);
    assert_string_equal(text, "");
    memory_free(text);
    s.line.n = 0;
    assert_false(chart_has_points(&c));
}

static void a_wide_range_is_logarithmic(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4}, wide[] = {0.01, 0.003, 0.00005, 0}, narrow[] = {3, 2, 1, 0};
    chart_series s = {"", {x, wide, 4}, {0}};
    char *text = draw(&(chart){"t", "x", "y", CHART_LOG, &s, 1, false});
    assert_has(text, ">0.001</text>");
    assert_int_equal(markup_count(curve_path(text), "L"), 2); /* 0 is left out */
    memory_free(text);
    s.line.y = narrow;
    text = draw(&(chart){"t", "x", "y", CHART_LOG, &s, 1, false});
    assert_has(text, ">0</text>");
    assert_int_equal(markup_count(curve_path(text), "L"), 3);
    memory_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_ticks_are_round),
        cmocka_unit_test(any_range_has_few_ticks),
        cmocka_unit_test(logarithmic_ticks_are_powers_of_ten),
        cmocka_unit_test(equal_values_get_room),
        cmocka_unit_test(thinning_keeps_spikes_ends_and_gaps),
        cmocka_unit_test(few_points_all_stay),
        cmocka_unit_test(series_have_a_legend_and_escaped_texts),
        cmocka_unit_test(gaps_interrupt_a_curve),
        cmocka_unit_test(a_long_curve_is_a_short_text),
        cmocka_unit_test(one_point_is_a_dot_and_none_is_nothing),
        cmocka_unit_test(a_wide_range_is_logarithmic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
