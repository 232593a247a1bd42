#include "io/page/plot.h"

#include "io/page/plot_labels.h"
#include "src/base/memory.h"
#include "tests/io/page/markup.h"

#include <math.h>
#include <stdlib.h>

#define MINUS "\xE2\x88\x92"

/* What a plot has put, checked; owned by the caller (memory_free). */
static char *finish(html *h) {
    html_bytes(h, "", 1);
    assert_int_equal(h->result, STATUS_OK);
    markup_check(h->text);
    assert_lacks(h->text, "nan");
    assert_lacks(h->text, "inf");
    return h->text;
}

static char *draw_rows(const plot_rows *p) {
    html h = {0};
    plot_rows_put(&h, p);
    return finish(&h);
}

static char *draw_scatter(const plot_scatter *p) {
    html h = {0};
    plot_scatter_put(&h, p);
    return finish(&h);
}

static char *draw_lines(const plot_lines *p) {
    html h = {0};
    plot_lines_put(&h, p);
    return finish(&h);
}

/* The numbers behind an attribute of the first element that begins with `element`. */
static double number_of(const char *text, const char *element, const char *attribute) {
    const char *at = strstr(text, element);
    assert_non_null(at);
    at = strstr(at, attribute);
    assert_non_null(at);
    return strtod(at + strlen(attribute), NULL);
}

static void figures_have_signs_and_intervals(void **state) {
    (void)state;
    static const struct {
        plot_value value;
        bool sign;
        const char *text;
    } c[] = {
        {{2.14, 0.4, 3.84}, true, "+2.1 (+0.4 to +3.8)"},
        {{-2.14, -3.84, 0.02}, true, MINUS "2.1 (" MINUS "3.8 to 0.0)"},
        {{43.21, NAN, NAN}, false, "43.2"},
        {{0.5, -1, 2}, false, "0.5 (" MINUS "1.0 to 2.0)"},
        {{NAN, 1, 2}, true, "\xE2\x80\x93"},
        {{3, INFINITY, 4}, true, "+3.0"},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        html h = {0};
        plot_value_put(&h, c[i].value, 1, c[i].sign);
        char *text = finish(&h);
        assert_string_equal(text, c[i].text);
        memory_free(text);
    }
}

static const double seeds[] = {1.5, 2.0, NAN, 2.5};
static const plot_row some_rows[] = {
    {"plain <b>", {0, NAN, NAN}, NULL, 0, "reference"},
    {"clear", {2, 1.2, 2.8}, seeds, 4, NULL},
    {"not clear", {0.5, -1, 2}, NULL, 0, NULL},
    {"a name of more letters than any row has \xC3\xBC", {-1, NAN, NAN}, NULL, 0, NULL},
    {"nothing", {NAN, NAN, NAN}, NULL, 0, "failed & gone"},
};

static void rows_have_names_marks_and_figures(void **state) {
    (void)state;
    char *text = draw_rows(&(plot_rows){"Gain \"of\" it", "points <p>", 1, some_rows, 5});
    assert_has(text, "aria-label=\"Gain &quot;of&quot; it: plain &lt;b&gt;, reference; clear, "
                     "+2.0 (+1.2 to +2.8); not clear, +0.5 (" MINUS "1.0 to +2.0)");
    assert_has(text, ">plain &lt;b&gt;</text>");
    assert_has(text, ">points &lt;p&gt;</text>");
    assert_has(text, ">failed &amp; gone</text>");
    assert_has(text, "<title>a name of more letters than any row has \xC3\xBC</title>");
    assert_has(text, ">a name of more letters than any row has\xE2\x80\xA6</text>");
    assert_has(text, ">" MINUS "1.0</text>"); /* a figure without an interval */
    /* Round ticks. */
    static const char *const tick[] = {
        ">" MINUS "1.0</text>", ">0</text>", ">1.0</text>", ">2.0</text>"};
    for (size_t i = 0; i < sizeof tick / sizeof *tick; i++) assert_has(text, tick[i]);
    /* A mark a mean, filled where the interval leaves out zero; a circle a value that is there. */
    assert_int_equal(markup_count(text, "class=\"mark solid c0\""), 1);
    assert_int_equal(markup_count(text, "class=\"mark c0\""), 3);
    assert_int_equal(markup_count(text, "class=\"seed\""), 3);
    assert_int_equal(markup_count(text, "class=\"whisker c0\""), 2);
    memory_free(text);
}

/* Marks are where their values are: the interval from 1 to 3 is as long as from 0 to 2. */
static void rows_are_to_scale(void **state) {
    (void)state;
    const plot_row row[] = {{"a", {2, 1, 3}, NULL, 0, NULL}, {"b", {5, NAN, NAN}, NULL, 0, NULL}};
    char *text = draw_rows(&(plot_rows){"t", "x", 1, row, 2});
    double zero = number_of(text, "<path class=\"zero\"", "d=\"M");
    const char *whisker = strstr(text, "<path class=\"whisker");
    double low = number_of(whisker, "<path", "d=\"M");
    double length = strtod(strchr(strstr(whisker, "d=\"M"), 'l') + 1, NULL);
    assert_true(fabs((low - zero) * 2 - length) < 0.3);
    memory_free(text);
}

static void without_a_figure_there_is_no_plot(void **state) {
    (void)state;
    const plot_value none = {NAN, NAN, NAN};
    const plot_row row = {"a", none, NULL, 0, NULL};
    const plot_point point = {"a", {1, NAN, NAN}, none, false};
    const double x = 1;
    const plot_series series = {"a", &x, &none, 1};
    char *text = draw_rows(&(plot_rows){"t", "x", 1, &row, 1});
    assert_string_equal(text, "");
    memory_free(text);
    text = draw_scatter(&(plot_scatter){"t", "x", "y", &point, 1});
    assert_string_equal(text, "");
    memory_free(text);
    text = draw_lines(&(plot_lines){"t", "x", "y", &series, 1});
    assert_string_equal(text, "");
    memory_free(text);
}

static void points_have_names_and_intervals(void **state) {
    (void)state;
    const plot_point point[] = {
        {"k <50>", {0.4, 0.35, 0.45}, {40, 38, 42}, false},
        {"k 100", {0.5, NAN, NAN}, {43, 41, 45}, false},
        {"plain", {0.6, NAN, NAN}, {44, NAN, NAN}, true},
        {"failed", {0.6, NAN, NAN}, {NAN, NAN, NAN}, false},
    };
    char *text = draw_scatter(&(plot_scatter){"Score & mIoU", "score", "mIoU, %", point, 4});
    assert_has(text, "aria-label=\"Score &amp; mIoU: k &lt;50&gt;, 0.400 (0.350 to 0.450), 40.000 "
                     "(38.000 to 42.000); k 100, 0.500, 43.000");
    assert_has(text, ">k &lt;50&gt;</text>");
    assert_has(text, ">mIoU, %</text>");
    assert_lacks(text, "failed");
    assert_int_equal(markup_count(text, "class=\"mark solid c0\""), 2);
    assert_int_equal(markup_count(text, "class=\"mark c0\""), 1);
    assert_int_equal(markup_count(text, "class=\"raw c0\""), 3);
    memory_free(text);
}

static double overlap(plot_box a, plot_box b) {
    double w = fmin(a.x1, b.x1) - fmax(a.x0, b.x0), h = fmin(a.y1, b.y1) - fmax(a.y0, b.y0);
    return w > 0 && h > 0 ? w * h : 0;
}

/* Sixteen points of three close groups: no name on another, none outside, none on a point. */
static void names_keep_clear_of_each_other(void **state) {
    (void)state;
    enum { N = 16 };
    const plot_box frame = {40, 20, 620, 390};
    plot_label label[N];
    plot_box drawn[N];
    for (int i = 0; i < N; i++) {
        double x = 60 + 215.0 * (i % 3) + 14 * (i / 3), y = 60 + 100 * (i % 3) + 21.0 * (i / 3);
        label[i] = (plot_label){.x = x, .y = y, .width = 60};
        drawn[i] = (plot_box){x - 4, y - 4, x + 4, y + 4};
    }
    plot_labels_place(label, N, drawn, N, frame);
    for (int i = 0; i < N; i++) {
        plot_box b = label[i].box;
        assert_true(b.x0 >= frame.x0 && b.x1 <= frame.x1 && b.y0 >= frame.y0 && b.y1 <= frame.y1);
        assert_true(fabs(label[i].text_x - label[i].x) < 20);
        for (int k = 0; k < i; k++) assert_true(overlap(b, label[k].box) == 0);
        for (int k = 0; k < N; k++) assert_true(overlap(b, drawn[k]) < 4);
    }
    /* With room, at the right. */
    plot_labels_place(label, 1, drawn, 1, frame);
    assert_string_equal(label[0].anchor, "");
    assert_true(label[0].text_x > label[0].x);
}

static void lines_have_marks_dashes_and_gaps(void **state) {
    (void)state;
    static const double share[] = {0.05, 0.1, 0.25, 0.5, 1};
    static const plot_value a[] = {
        {40, 38, 42}, {43, 42, 44}, {NAN, 1, 2}, {50, NAN, NAN}, {52, 51, 53}};
    static const plot_value b[] = {
        {39, 37, 41}, {42, 41, 43}, {45, 44, 46}, {49, 48, 50}, {52, 51, 53}};
    const plot_series s[] = {{"contrastive", share, a, 5}, {"plain & simple", share, b, 5}};
    char *text = draw_lines(&(plot_lines){"Regimes", "labelled share", "mIoU, %", s, 2});
    assert_has(text, "aria-label=\"Regimes: contrastive, 0.05000: 40.00 (38.00 to 42.00)");
    assert_has(text, "</svg>plain &amp; simple</span>");
    assert_has(text, "class=\"curve c1 l1\"");
    assert_has(text, ">0.2</text>"); /* logarithmic: 0.05 to 1 */
    assert_has(text, ">0.05</text>");
    assert_int_equal(markup_count(text, "class=\"whisker c0\""), 3);
    assert_int_equal(markup_count(text, "class=\"whisker c1\""), 5);
    assert_int_equal(markup_count(text, "class=\"mark c0\""), 4 + 1); /* and the legend's */
    const char *curve = strstr(text, "class=\"curve c0 l0\" d=\"") + 23;
    char path[200];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(curve, "\""), curve);
    assert_int_equal(markup_count(path, "M"), 2);
    assert_int_equal(markup_count(path, "L"), 2);
    memory_free(text);
}

/* Shares of outliers begin at 0, which a logarithm has not. */
static void a_setting_from_zero_is_linear(void **state) {
    (void)state;
    static const double x[] = {0, 1, 2, 5, 10, 20};
    static const plot_value v[] = {
        {1, 0, 2}, {2, 1, 3}, {2, 1, 3}, {3, 2, 4}, {2, 1, 3}, {1, 0, 2}};
    const plot_series s = {"gain", x, v, 6};
    char *text = draw_lines(&(plot_lines){"t", "outliers, %", "gain", &s, 1});
    assert_has(text, ">15</text>");
    assert_has(text, "</svg>gain</span>");
    memory_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_have_signs_and_intervals),
        cmocka_unit_test(rows_have_names_marks_and_figures),
        cmocka_unit_test(rows_are_to_scale),
        cmocka_unit_test(without_a_figure_there_is_no_plot),
        cmocka_unit_test(points_have_names_and_intervals),
        cmocka_unit_test(names_keep_clear_of_each_other),
        cmocka_unit_test(lines_have_marks_dashes_and_gaps),
        cmocka_unit_test(a_setting_from_zero_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
