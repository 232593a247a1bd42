#include "io/page/compare_page.h"

#include "io/files/file.h"
#include "src/base/memory.h"
#include "tests/io/page/markup.h"
#include "tests/io/scratch.h"

#include <math.h>

enum { LIMIT = 1 << 20 };

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

/* The page, checked; owned by the caller (memory_free). */
static char *write_and_read(const compare_page *d) {
    char path[256];
    void *text;
    size_t size;
    strcpy(path, scratch_path(&place, "compare.html"));
    assert_int_equal(compare_page_write(path, d), STATUS_OK);
    assert_int_equal(file_read(path, LIMIT, &text, &size), STATUS_OK);
    markup_check(text);
    return text;
}

static const double gains[] = {1.25, 2.75};
static const compare_page_run runs[] = {
    {"seed 1", "cells/k <50>/seed-1/report.html", NULL},
    {"seed 2", NULL, "the data set's file & more"},
};
static const compare_page_cell cells[] = {
    {.name = "plain",
        .referred = true,
        .miou = 41.256,
        .deviation = 0.5,
        .results = 2,
        .gain = {NAN, NAN, NAN},
        .score = NAN,
        .seconds = 12,
        .contrastive_images = 0,
        .finetune_images = 4800,
        .run = runs,
        .runs = 1},
    {.name = "k <50>",
        .about = "fewer <clusters>",
        .settings = "cluster.k = 50 & more",
        .reference = "plain",
        .miou = 43.256,
        .deviation = 1.25,
        .results = 2,
        .gain = {2, 0.125, 3.875},
        .point = gains,
        .score = 61.5,
        .seconds = 20.25,
        .contrastive_images = 19200,
        .finetune_images = NAN,
        .run = runs,
        .runs = 2},
    {.name = "failed",
        .miou = NAN,
        .deviation = NAN,
        .gain = {NAN, NAN, NAN},
        .score = NAN,
        .seconds = NAN,
        .contrastive_images = NAN,
        .finetune_images = NAN,
        .run = runs + 1,
        .runs = 1},
};

static compare_page some(void) {
    return (compare_page){.title = "a <plan>",
        .about = "reference & all",
        .score = "score",
        .cell = cells,
        .cells = 3,
        .command = "auxseg compare 'a b.cfg' --plan <x>"};
}

static void figures_of_table_and_plot_agree(void **state) {
    (void)state;
    compare_page d = some();
    char *page = write_and_read(&d);
    assert_has(page, "<title>a &lt;plan&gt;</title>");
    assert_has(page, "reference &amp; all");
    assert_has(page, "<th scope=\"row\">k &lt;50&gt;</th><td class=\"n\">2</td>"
                     "<td class=\"n\">43.26</td><td class=\"n\">1.25</td><td class=\"n\">+2.00</td>"
                     "<td class=\"n\">+0.12 to +3.88</td><td class=\"n\">61.50</td>"
                     "<td class=\"n\">20.2</td><td class=\"n\">19\xE2\x80\x89"
                     "200</td><td class=\"n\">\xE2\x80\x93</td>");
    assert_has(page, "<td>fewer &lt;clusters&gt;</td>");
    assert_lacks(page, "compared with</th>"); /* there is one reference */
    assert_has(page, ">+2.00 (+0.12 to +3.88)</text>");
    assert_has(page, ">reference</text>");
    assert_has(page, "k &lt;50&gt;, +2.00 (+0.12 to +3.88)");
    assert_int_equal(markup_count(page, "class=\"seed\""), 2);
    memory_free(page);
}

static void runs_are_linked_and_failures_told(void **state) {
    (void)state;
    compare_page d = some();
    char *page = write_and_read(&d);
    assert_has(page, "<a href=\"cells/k%20%3C50%3E/seed-1/report.html\">seed 1</a>");
    assert_has(page, "seed 2 <span class=\"down\">the data set&#39;s file &amp; more</span>");
    assert_has(page, "cluster.k = 50 &amp; more");
    assert_has(page, "those of the configuration");
    assert_has(page, "<pre>auxseg compare &#39;a b.cfg&#39; --plan &lt;x&gt;</pre>");
    /* Nothing is loaded, nothing runs. */
    static const char *const lacks[] = {"<script", "http", "url(", " onclick"};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) assert_lacks(page, lacks[i]);
    memory_free(page);
}

/* What there is nothing of has neither heading nor link. */
static void sections_come_with_their_content(void **state) {
    (void)state;
    static const plot_point point[] = {
        {"a", {40, NAN, NAN}, {41, 40, 42}, false}, {"b", {50, NAN, NAN}, {43, 42, 44}, false}};
    static const plot_scatter scatter = {"Score", "score, %", "mIoU, %", point, 2};
    static const double k[] = {50, 100};
    static const plot_value v[] = {{1, 0, 2}, {2, 1, 3}};
    static const plot_series series = {"gain", k, v, 2};
    static const compare_page_lines lines[] = {
        {{"Gain", "clusters", "points", &series, 1}, "over <clusters>"},
        {{"Gain", "rate", "points", &series, 1}, "over rates"}};
    static const page_picture picture[6] = {{"12345", 5, "image"}, {"\xFF\xD8 JPEG", 7, "a <1>"},
        {"1", 1, "b"}, {"1", 1, "c"}, {"1", 1, "d"}, {"1", 1, "e"}};
    static const page_strip strip[] = {{"one.png", picture, 2}, {"two.png", picture, 6}};
    static const char *const id[] = {"\"setting\"", "\"score\"", "\"labels\""};
    compare_page d = some();
    char *page = write_and_read(&d);
    for (int i = 0; i < 3; i++) assert_lacks(page, id[i]);
    assert_lacks(page, "href=\"#labels\"");
    memory_free(page);
    d.scatter = &scatter;
    d.scatter_note = "Spearman's <rho>";
    d.correlation = &(compare_page_correlation){"purity <p>", 0.825, -0.125, 0.96, 7};
    d.correlations = 1;
    d.lines = lines;
    d.line_plots = 2;
    d.strip = strip;
    d.strips = 2;
    d.command = NULL;
    page = write_and_read(&d);
    for (int i = 0; i < 3; i++) assert_has(page, id[i]);
    assert_has(page, "purity &lt;p&gt;</th><td class=\"n\">7</td><td class=\"n\">0.82</td>"
                     "<td class=\"n\">\xE2\x88\x92"
                     "0.12 to 0.96</td>");
    assert_has(page, "Spearman&#39;s &lt;rho&gt;");
    assert_has(page, "Over the settings that vary");
    assert_has(page, "over &lt;clusters&gt;");
    assert_has(page, "over rates");
    assert_has(page, "<figcaption>a &lt;1&gt;</figcaption>");
    assert_has(page, "data:image/jpeg;base64,");
    assert_int_equal(markup_count(page, "<div class=\"strip many\">"), 2);
    assert_int_equal(markup_count(page, "<section "), markup_count(page, "<li><a href=\"#"));
    assert_lacks(page, "<pre>");
    memory_free(page);
}

static void a_missing_folder_is_told(void **state) {
    (void)state;
    compare_page d = some();
    assert_int_equal(compare_page_write("/nonexistent/compare.html", &d), STATUS_OUTPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_table_and_plot_agree),
        cmocka_unit_test(runs_are_linked_and_failures_told),
        cmocka_unit_test(sections_come_with_their_content),
        cmocka_unit_test(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
