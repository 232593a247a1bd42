/* A curve of a chart as an SVG path. Not collective. */
#ifndef AUXSEG_IO_PAGE_CHART_CURVE_H
#define AUXSEG_IO_PAGE_CHART_CURVE_H

#include "io/page/chart_frame.h"

#include <stdbool.h>

typedef struct chart_line {
    const double *x, *y; /* [n], x finite and rising; a y that cannot be shown leaves a gap */
    int n;
} chart_line;

typedef struct chart_series {
    const char *name; /* of the legend; any text */
    chart_line line;
    chart_line trend; /* drawn strongly above a faint line; n = 0: the line alone, drawn strongly */
} chart_series;

/* Classes of the page's style, which has the colours: "c0" to "c5"; and kinds of line, "l0" to
 * "l3", of which the next comes when the colours are used up. */
enum { CHART_COLOURS = 6, CHART_LINES = 4 };

/* Appends the paths of a series; number: its place among the chart's series. */
void chart_curve_put(html *h, const chart_frame *f, const chart_series *s, int number);

/* Which points of a line are drawn, by index, rising: of those that share one of `columns`
 * columns of the axis the first, lowest, highest and last; of a column that has nothing
 * but gaps, one. All of them where they are few. log: what is not above 0 is a gap. kept
 * [line->n] is written; returns how many. */
int chart_thin(const chart_line *line, const axis *x, bool log, int columns, int *kept);

#endif
