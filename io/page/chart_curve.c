/* Curves of any number of points in a path of bounded length. A chart is a few hundred pixels wide:
 * of the points that fall into one pixel's column, the vertical line from the lowest to the highest
 * is all that can be seen, so a spike of one step in a million stays. What is kept depends on the
 * width in units of the chart, not on a screen: the same data give the same text. */
#include "io/page/chart_curve.h"

#include "io/page/number.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

enum {
    POINTS_A_COLUMN = 4, /* first, lowest, highest, last */
    DOTS = 30            /* points up to which each is marked */
};

/* What is thinned. */
typedef struct points {
    const chart_line *line;
    const axis *x;
    bool log;
    int columns;
} points;

/* Whether point i is no gap. */
static bool shown(const points *p, int i) {
    return axis_shows(p->log, p->line->y[i]);
}

/* The column that point i falls into; points beyond the axis go to its ends. */
static int column_of(const points *p, int i) {
    double at = floor(axis_place(p->x, p->line->x[i]) * p->columns);
    return at < 0 ? 0 : at >= p->columns ? p->columns - 1 : (int)at;
}

/* Those of begin .. end, one column, that stay. kept: room for POINTS_A_COLUMN; returns how many. A
 * column of gaps alone keeps one of them, so that the curve breaks there. */
static int thin_column(const points *p, int begin, int end, int *kept) {
    const double *y = p->line->y;
    int first = -1, last = -1, low = -1, high = -1, n = 0;
    for (int i = begin; i < end; i++) {
        if (!shown(p, i)) continue;
        if (first < 0) first = low = high = i;
        last = i;
        if (y[i] < y[low]) low = i;
        if (y[i] > y[high]) high = i;
    }
    if (first < 0) {
        kept[0] = begin;
        return 1;
    }
    /* In the order of the curve: a line through them goes where the whole one goes. */
    const int stay[POINTS_A_COLUMN] = {
        first, low < high ? low : high, low < high ? high : low, last};
    for (int i = 0; i < POINTS_A_COLUMN; i++)
        if (n == 0 || stay[i] > kept[n - 1]) kept[n++] = stay[i];
    return n;
}

/* x is expected to rise, so that a column's points follow one another. kept [line->n] is always
 * enough: no point is kept twice. */
int chart_thin(const chart_line *line, const axis *x, bool log, int columns, int *kept) {
    points p = {line, x, log, columns};
    int n = 0;
    bool few = line->n <= POINTS_A_COLUMN * columns;
    for (int begin = 0, end; begin < line->n; begin = end) {
        end = begin + 1;
        while (!few && end < line->n && column_of(&p, end) == column_of(&p, begin)) end++;
        if (few)
            kept[n++] = begin;
        else
            n += thin_column(&p, begin, end, kept + n);
    }
    return n;
}

/* A tenth of a unit is less than a screen shows, and half the text of more decimals. */
static void put_point(html *h, char command, double x, double y) {
    html_bytes(h, &command, 1);
    html_fixed(h, x, 1);
    html_put(h, " ");
    html_fixed(h, y, 1);
}

/* The kept points of a line as a path; dots: each by itself. */
static void put_path(
    html *h, const chart_frame *f, const chart_line *line, const int *kept, int n, bool dots) {
    bool drawing = false;
    for (int i = 0; i < n; i++) {
        int at = kept[i];
        bool next = i + 1 < n && axis_shows(f->y.log, line->y[kept[i + 1]]);
        if (!axis_shows(f->y.log, line->y[at])) {
            drawing = false;
            continue;
        }
        put_point(
            h, drawing && !dots ? 'L' : 'M', frame_x(f, line->x[at]), frame_y(f, line->y[at]));
        /* A point between two gaps: a line of no length, which round ends make a dot. */
        if (dots || (!drawing && !next)) html_put(h, "h0");
        drawing = true;
    }
}

/* The points of one line, thinned, and dots where so few are left that each can be seen. */
static void put_line(html *h, const chart_frame *f, const chart_line *line, const char *class) {
    int *kept = memory_alloc((size_t)line->n, sizeof *kept, "points of a curve");
    if (!kept) {
        html_fail(h, STATUS_FAILED);
        return;
    }
    int n = chart_thin(line, &f->x, f->y.log, (int)f->width, kept);
    html_print(h, "<path class=\"%s\" d=\"", class);
    put_path(h, f, line, kept, n, false);
    if (n <= DOTS) {
        html_print(h, "\"/><path class=\"dots %s\" d=\"", class);
        put_path(h, f, line, kept, n, true);
    }
    html_put(h, "\"/>");
    memory_free(kept);
}

void chart_curve_put(html *h, const chart_frame *f, const chart_series *s, int number) {
    char class[32];
    int colour = number % CHART_COLOURS, dashes = number / CHART_COLOURS % CHART_LINES;
    if (s->trend.n > 0) {
        snprintf(class, sizeof class, "raw c%d", colour);
        put_line(h, f, &s->line, class);
    }
    snprintf(class, sizeof class, "curve c%d l%d", colour, dashes);
    put_line(h, f, s->trend.n > 0 ? &s->trend : &s->line, class);
}
