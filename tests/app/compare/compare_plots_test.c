#include "src/app/compare/compare_plots.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { CELLS = 7, KEYS = 2 };

static char *keys[KEYS] = {"finetune.fraction", "pretrain.steps"};
/* Shares out of order, two methods; one cell without a result, one that stands alone. */
static const struct {
    const char *share, *steps;
    double miou;
} plan[CELLS] = {{"0.5", "0", 0.41}, {"0.1", "0", 0.31}, {"0.1", "300", 0.35}, {"1", "300", 0.55},
    {"1", "0", 0.53}, {"0.5", "300", NAN}, {"0.25", "9", 0.4}};

static char text[CELLS][KEYS][16];
static char *value[CELLS][KEYS];
static compare_run runs[CELLS];
static compare_cell cells[CELLS];

static compare_results make(void) {
    static char name[] = "cell";
    for (int i = 0; i < CELLS; i++) {
        strcpy(text[i][0], plan[i].share);
        strcpy(text[i][1], plan[i].steps);
        for (int k = 0; k < KEYS; k++) value[i][k] = text[i][k];
        runs[i] = (compare_run){.seed = 1, .miou = plan[i].miou, .value = value[i]};
        cells[i] = (compare_cell){.name = name,
            .reference = i == 0 ? -1 : 0,
            .referred = i == 0,
            .run = &runs[i],
            .runs = 1,
            .miou = {isfinite(plan[i].miou), plan[i].miou, NAN, NAN, NAN}};
        for (int k = 0; k < COMPARE_SCORES; k++) cells[i].score[k] = i < 3 ? 0.5 + 0.1 * i : NAN;
    }
    compare_results r = {.name = name, .cell = cells, .cells = CELLS, .key = keys, .varying = KEYS};
    for (int k = 0; k < COMPARE_SCORES; k++) r.predicts[k] = (rank_correlation){-0.5, NAN, NAN, 3};
    return r;
}

/* Of both settings the one with more numbers is the axis; a line a method, by rising shares. */
static void cells_that_differ_in_one_setting_are_a_line(void **state) {
    (void)state;
    compare_results r = make();
    compare_plots p;
    assert_int_equal(compare_plots_create(&p, &r), STATUS_OK);
    assert_int_equal(p.line_plots, 1); /* of the other one, which has three numbers, too, too few */
    assert_string_equal(p.lines[0].plot.x_label, "finetune.fraction");
    assert_int_equal(p.lines[0].plot.count, 2);
    const plot_series *s = p.lines[0].plot.series;
    assert_string_equal(s[0].name, "pretrain.steps = 0");
    assert_int_equal(s[0].n, 3);
    static const double share[] = {0.1, 0.5, 1}, miou[] = {31, 41, 53};
    for (int i = 0; i < 3; i++) {
        assert_true(s[0].x[i] == share[i] && s[1].x[i] == share[i]);
        assert_true(fabs(s[0].value[i].mean - miou[i]) < 1e-9);
    }
    assert_string_equal(s[1].name, "pretrain.steps = 300");
    assert_true(isnan(s[1].value[1].mean)); /* the cell without a result is a gap */
    compare_plots_destroy(&p);
}

static void the_score_is_drawn_and_every_figure_told(void **state) {
    (void)state;
    compare_results r = make();
    compare_plots p;
    assert_int_equal(compare_plots_create(&p, &r), STATUS_OK);
    assert_non_null(p.scatter);
    assert_true(fabs(p.scatter->point[2].x.mean - 70) < 1e-9);
    assert_true(p.scatter->point[0].reference && !p.scatter->point[1].reference);
    assert_non_null(strstr(p.scatter_note, "correlation of what is drawn: \xE2\x88\x92"
                                           "0.50 over 3 cells."));
    assert_int_equal(p.correlations, COMPARE_SCORES);
    compare_plots_destroy(&p);
    for (int k = 0; k < COMPARE_SCORES; k++) r.predicts[k].pairs = 2;
    assert_int_equal(compare_plots_create(&p, &r), STATUS_OK);
    assert_null(p.scatter);
    assert_int_equal(p.correlations, 0);
    compare_plots_destroy(&p);
}

/* As in a search of two rates, each with the other one at its default. */
static void settings_that_vary_in_turn_have_a_plot_each(void **state) {
    (void)state;
    static const char *const rate[CELLS][KEYS] = {{"0.01", "0.1"}, {"0.03", "0.1"}, {"0.1", "0.1"},
        {"0.3", "0.1"}, {"7", "0.2"}, {"7", "0.3"}, {"7", "0.4"}};
    compare_results r = make();
    compare_plots p;
    for (int i = 0; i < CELLS; i++) {
        for (int k = 0; k < KEYS; k++) strcpy(text[i][k], rate[i][k]);
        cells[i].miou.n = 1;
    }
    assert_int_equal(compare_plots_create(&p, &r), STATUS_OK);
    assert_int_equal(p.line_plots, 2);
    assert_string_equal(p.lines[0].plot.x_label, keys[0]);
    assert_int_equal(p.lines[0].plot.count, 1);
    assert_int_equal(p.lines[0].plot.series[0].n, 4);
    assert_string_equal(p.lines[1].plot.x_label, keys[1]);
    assert_int_equal(p.lines[1].plot.count, 1);
    assert_int_equal(p.lines[1].plot.series[0].n, 3);
    assert_true(p.lines[1].plot.series[0].x[2] == 0.4);
    compare_plots_destroy(&p);
}

/* Names of methods are no axis, nor are two numbers. */
static void without_a_number_there_is_no_line(void **state) {
    (void)state;
    compare_results r = make();
    compare_plots p;
    for (int i = 0; i < CELLS; i++) {
        strcpy(text[i][0], i % 2 ? "a1" : "b2");
        strcpy(text[i][1], i % 2 ? "1" : "2");
    }
    assert_int_equal(compare_plots_create(&p, &r), STATUS_OK);
    assert_int_equal(p.line_plots, 0);
    compare_plots_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_that_differ_in_one_setting_are_a_line),
        cmocka_unit_test(the_score_is_drawn_and_every_figure_told),
        cmocka_unit_test(settings_that_vary_in_turn_have_a_plot_each),
        cmocka_unit_test(without_a_number_there_is_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
