/* Plots of a comparison's cells. Which setting a plan varies is found in the values themselves: any
 * plan, also a user's, gets its line where there is one to draw. Of several numeric settings the
 * one with the most different values is the axis; cells that have the same values of all others are
 * one series, so that a plan over labelled shares has a line of each method. A plan that varies one
 * setting in some cells and another one in others has a plot of each. */
#include "src/app/compare/compare_plots.h"

#include "io/page/number.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURE = 16 };

const char compare_plotted[] = "positive_mean";

plot_value compare_percent(interval i) {
    return (plot_value){100 * i.mean, 100 * i.low, 100 * i.high};
}

/* Of the figures in run.json, for readers. */
static const char *const names[COMPARE_SCORES] = {"positive precision, by pairs",
    "positive precision, mean over labels", "negative precision, by pairs", "purity",
    "normalised mutual information", "adjusted Rand index", "pixels with a label"};

static void fill_correlations(compare_plots *p, const compare_results *r) {
    for (int k = 0; k < COMPARE_SCORES; k++) {
        rank_correlation c = r->predicts[k];
        if (c.pairs < COMPARE_CELLS_FROM) continue;
        p->correlation[p->correlations++] =
            (compare_page_correlation){names[k], c.rho, c.low, c.high, c.pairs};
    }
}

/* With a true minus; text [FIGURE]. */
static const char *figure(char *text, double value) {
    char digits[NUMBER_TEXT];
    number_fixed(digits, value, 2);
    bool negative = digits[0] == '-';
    snprintf(text, FIGURE, "%s%.8s", negative ? "\xE2\x88\x92" : "", digits + negative);
    return text;
}

static void write_note(char *note, rank_correlation c) {
    char rho[FIGURE], low[FIGURE], high[FIGURE];
    int n = snprintf(note, COMPARE_TEXT,
        "A point is a cell: means over its seeds, and the 95 %% interval of mIoU. Square: the "
        "reference.");
    if (!isfinite(c.rho)) return;
    n += snprintf(note + n, COMPARE_TEXT - (size_t)n,
        " Spearman's rank correlation of what is drawn: %s over %d cells", figure(rho, c.rho),
        c.pairs);
    if (isfinite(c.low))
        n += snprintf(note + n, COMPARE_TEXT - (size_t)n, ", 95 %% interval %s to %s",
            figure(low, c.low), figure(high, c.high));
    snprintf(note + n, COMPARE_TEXT - (size_t)n, ".");
}

/* The interval of a cell's score over its seeds is not of interest: its labels hardly change. */
static void fill_scatter(compare_plots *p, const compare_results *r) {
    rank_correlation c = r->predicts[COMPARE_PLOTTED];
    if (c.pairs < COMPARE_CELLS_FROM) return;
    for (int i = 0; i < r->cells; i++) {
        const compare_cell *cell = &r->cell[i];
        p->dot[i] = (plot_point){cell->name, {100 * cell->score[COMPARE_PLOTTED], NAN, NAN},
            compare_percent(cell->miou), cell->referred && cell->reference < 0};
    }
    write_note(p->scatter_note, c);
    p->dots = (plot_scatter){"Score of the labels against mIoU",
        "positive precision, mean over labels, %", "mIoU, %", p->dot, r->cells};
    p->scatter = &p->dots;
}

/* A cell's value of a varying setting as a text; "" where it has no run. */
static const char *text_of(const compare_cell *c, int key) {
    const char *text = c->runs > 0 && c->run[0].value ? c->run[0].value[key] : NULL;
    return text ? text : "";
}

/* As a number; NAN where it is none. */
static double number_of(const compare_cell *c, int key) {
    const char *text = text_of(c, key);
    char *end;
    double value = strtod(text, &end);
    return end > text && !*end && isfinite(value) ? value : NAN;
}

/* How many different numbers the cells that have a result have there. */
static int count_values(const compare_results *r, int key) {
    int n = 0;
    for (int i = 0; i < r->cells; i++) {
        double value = number_of(&r->cell[i], key);
        bool is_new = isfinite(value) && r->cell[i].miou.n > 0;
        for (int k = 0; k < i && is_new; k++)
            is_new = r->cell[k].miou.n == 0 || number_of(&r->cell[k], key) != value;
        n += is_new;
    }
    return n;
}

/* The axis after `before`, by falling numbers of values, then in the settings' order; -1: the
 * first. Returns -1 where none that is left has enough. */
static int next_axis(const compare_results *r, int before) {
    int best = -1, most = COMPARE_CELLS_FROM - 1, limit = before < 0 ? 0 : count_values(r, before);
    for (int key = 0; key < r->varying; key++) {
        int n = count_values(r, key);
        bool is_left = before < 0 || n < limit || (n == limit && key > before);
        if (is_left && n > most) most = n, best = key;
    }
    return best;
}

/* Whether two cells differ in the axis' setting alone. */
static bool together(const compare_results *r, int axis, int a, int b) {
    for (int key = 0; key < r->varying; key++)
        if (key != axis && strcmp(text_of(&r->cell[a], key), text_of(&r->cell[b], key)) != 0)
            return false;
    return true;
}

/* The cells of first's line, by their number, into order; returns how many. By insertion: of equal
 * numbers the first cell stays first. */
static int collect(const compare_results *r, const bool *drawn, int axis, int first, int *order) {
    int n = 0;
    for (int i = first; i < r->cells; i++) {
        double value = number_of(&r->cell[i], axis);
        if (drawn[i] || !isfinite(value) || !together(r, axis, first, i)) continue;
        int at = n++;
        for (; at > 0 && number_of(&r->cell[order[at - 1]], axis) > value; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

/* A line is told by the settings in which the lines, whose first cells are first [count], differ.
 */
static void name_line(
    char *name, const compare_results *r, const int *first, int count, int line, int axis) {
    size_t n = 0;
    for (int key = 0; key < r->varying && n < COMPARE_TEXT; key++) {
        const char *text = text_of(&r->cell[first[line]], key);
        bool differs = false;
        for (int i = 0; i < count; i++)
            differs = differs || strcmp(text, text_of(&r->cell[first[i]], key)) != 0;
        if (key == axis || !differs) continue;
        n += (size_t)snprintf(name + n, COMPARE_TEXT - n, "%s%s = %s", n > 0 ? ", " : "",
            r->key[key], *text ? text : "\"\"");
    }
}

/* A line of what is in none yet. A single cell is no line. Returns its cells. */
static int fill_line(
    compare_plots *p, const compare_results *r, int axis, int first, plot_series *s) {
    int n = 0, at = p->cells_drawn;
    if (!p->drawn[first] && isfinite(number_of(&r->cell[first], axis)))
        n = collect(r, p->drawn, axis, first, p->order);
    if (n < 2) return 0;
    for (int k = 0; k < n; k++) {
        p->x[at + k] = number_of(&r->cell[p->order[k]], axis);
        p->value[at + k] = compare_percent(r->cell[p->order[k]].miou);
        p->drawn[p->order[k]] = true;
    }
    *s = (plot_series){NULL, p->x + at, p->value + at, n};
    p->cells_drawn += n;
    return n;
}

static void fill_lines(compare_plots *p, const compare_results *r, int axis) {
    int count = 0, first[COMPARE_SERIES], plot = p->line_plots;
    for (int i = 0; i < r->cells && count < COMPARE_SERIES; i++)
        if (fill_line(p, r, axis, i, &p->series[plot][count]) > 0) first[count++] = i;
    if (count == 0) return;
    for (int i = 0; i < count; i++) {
        char *name = p->name[plot][i];
        snprintf(name, COMPARE_TEXT, "mean over the seeds");
        if (count > 1) name_line(name, r, first, count, i, axis);
        p->series[plot][i].name = name;
    }
    snprintf(p->lines_note[plot], COMPARE_TEXT,
        "mIoU over %.100s: means over the seeds with their 95 %% intervals.", r->key[axis]);
    p->lines[p->line_plots++] =
        (compare_page_lines){{p->lines_note[plot], r->key[axis], "mIoU, %", p->series[plot], count},
            p->lines_note[plot]};
}

status compare_plots_create(compare_plots *out, const compare_results *r) {
    size_t cells = (size_t)r->cells;
    *out = (compare_plots){.dot = memory_alloc(cells, sizeof *out->dot, "plots"),
        .x = memory_alloc(cells, sizeof *out->x, "plots"),
        .value = memory_alloc(cells, sizeof *out->value, "plots"),
        .order = memory_alloc(cells, sizeof *out->order, "plots"),
        .drawn = memory_alloc(cells, sizeof *out->drawn, "plots")};
    if (!out->dot || !out->x || !out->value || !out->order || !out->drawn) return STATUS_FAILED;
    fill_correlations(out, r);
    fill_scatter(out, r);
    for (int axis = next_axis(r, -1); axis >= 0 && out->line_plots < COMPARE_AXES;
         axis = next_axis(r, axis))
        fill_lines(out, r, axis);
    return STATUS_OK;
}

void compare_plots_destroy(compare_plots *p) {
    memory_free(p->dot);
    memory_free(p->x);
    memory_free(p->value);
    memory_free(p->order);
    memory_free(p->drawn);
    *p = (compare_plots){0};
}
