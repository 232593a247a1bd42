/* Plots of figures with their intervals as SVG inside of a page: rows of dots, a scatter plot,
 * lines over a setting. Series and points are told apart by the forms of marks, by dashes and by
 * names, not by colours alone. Not collective. The text depends on the data alone. */
#ifndef AUXSEG_IO_PAGE_PLOT_H
#define AUXSEG_IO_PAGE_PLOT_H

#include "io/page/html.h"

#include <stdbool.h>

/* A figure and its interval, in the unit that is shown. mean NAN: there is none. low, high NAN: it
 * has no interval; else low <= mean <= high. */
typedef struct plot_value {
    double mean, low, high;
} plot_value;

/* A row: its mean as a diamond on its interval, filled where the interval leaves out zero; small
 * circles of what it is the mean of; the figures at the right. */
typedef struct plot_row {
    const char *name; /* any text; long ones are cut, and whole where pointed at */
    plot_value value;
    const double *point; /* [points] */
    int points;
    const char *note; /* in place of the figures ("reference"); NULL: the figures */
} plot_row;

typedef struct plot_rows {
    const char *title; /* what a reader hears who does not see the plot; any text */
    const char *label; /* of the axis, with a unit; any text */
    int decimals;      /* of the figures */
    const plot_row *row;
    int rows;
} plot_rows;

typedef struct plot_point {
    const char *name; /* at the point; any text */
    plot_value x, y;
    bool reference; /* marked by a square */
} plot_point;

typedef struct plot_scatter {
    const char *title, *x_label, *y_label;
    const plot_point *point; /* those with a mean missing are left out */
    int points;
} plot_scatter;

typedef struct plot_series {
    const char *name;        /* of the legend */
    const double *x;         /* [n], finite and rising */
    const plot_value *value; /* [n]; a missing mean is a gap */
    int n;
} plot_series;

typedef struct plot_lines {
    const char *title, *x_label, *y_label;
    const plot_series *series;
    int count;
} plot_lines;

/* Each appends an <svg>, nothing if there is no figure to draw. The axis of plot_rows always has
 * zero, a strong line. The horizontal axis of plot_lines is logarithmic where its values are above
 * 0 and span more than 5 to 1. */
void plot_rows_put(html *h, const plot_rows *p);
void plot_scatter_put(html *h, const plot_scatter *p);
void plot_lines_put(html *h, const plot_lines *p);

/* "+2.1 (+0.4 to +3.8)": the mean, with its interval where it has one, each with its sign where
 * sign is set; a dash where there is no mean. */
void plot_value_put(html *h, plot_value v, int decimals, bool sign);

#endif
