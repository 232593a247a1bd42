/* A line chart. Its size is in units of which the page shows about one a pixel, at every width of a
 * window, so that its text stays as large as the page's. Everything that may be long, the title and
 * the legend, is text of the page and not of the SVG: it wraps there. make_frame decides everything
 * about places; the rest draws into it. Values are never drawn by a browser's script: a page is
 * whole where scripts are off, and as text it can be compared. */
#include "io/page/chart.h"

#include "io/page/number.h"
#include "io/page/svg.h"

#include <math.h>

enum { WIDTH = 400, HEIGHT = 230, TICKS_X = 6, TICKS_Y = 6 };

/* Over which values the curves go; low > high: there is no point. */
typedef struct range {
    double low, high;
} range;

/* By one value, which can be shown. */
static void widen(range *r, double value) {
    if (value < r->low) r->low = value;
    if (value > r->high) r->high = value;
}

/* Of all series; log: of what a logarithmic axis can show. Trends need no look: means lie within. x
 * of points that are gaps do not count. */
static void measure(const chart *c, bool log, range *x, range *y) {
    *x = *y = (range){INFINITY, -INFINITY};
    for (int i = 0; i < c->count; i++)
        for (int j = 0; j < c->series[i].line.n; j++) {
            const chart_line *line = &c->series[i].line;
            if (!axis_shows(log, line->y[j])) continue;
            widen(x, line->x[j]);
            widen(y, line->y[j]);
        }
}

bool chart_has_points(const chart *c) {
    range x, y;
    measure(c, false, &x, &y);
    return x.low <= x.high;
}

/* The axes, and where they leave room for the curves. */
static chart_frame make_frame(const chart *c) {
    range x, y, positive;
    axis upright;
    measure(c, true, &x, &positive);
    measure(c, false, &x, &y);
    /* A hundredfold is where a linear axis begins to hide the smaller values. */
    if (c->scale == CHART_LOG && positive.high > 100 * positive.low) {
        upright = axis_log(positive.low, positive.high, TICKS_Y);
    } else {
        double margin = (y.high - y.low) / 25; /* so that no curve runs along the frame */
        if (c->scale == CHART_ZERO)
            upright = axis_linear(0, fmax(y.high + margin, 0), TICKS_Y, false);
        else
            upright = axis_linear(y.low - margin, y.high + margin, TICKS_Y, false);
    }
    return frame_create(axis_linear(x.low, x.high, TICKS_X, true), upright, WIDTH, HEIGHT);
}

/* "Loss: round 1, 300 points, from 2.548 to 0.3102; ...", for readers who do not see it. First and
 * last value that are there: what a curve says in one sentence. Gaps at the ends are passed over.
 */
static void put_description(html *h, const chart *c) {
    html_text(h, c->title);
    for (int i = 0; i < c->count; i++) {
        const chart_line *line = &c->series[i].line;
        int first = 0, last = line->n - 1;
        while (first <= last && !axis_shows(false, line->y[first])) first++;
        while (first < last && !axis_shows(false, line->y[last])) last--;
        if (first > last) continue;
        html_put(h, i > 0 ? "; " : ": ");
        html_text(h, c->series[i].name);
        html_print(h, ", %d points, from ", line->n);
        html_number(h, NUMBER_PLAIN, line->y[first]);
        html_put(h, " to ");
        html_number(h, NUMBER_PLAIN, line->y[last]);
    }
}

/* Each name behind a piece of its curve, in the same colour and dashes. Colours go round first,
 * then kinds of dashes: the same numbers as chart_curve_put gives them. */
static void put_legend(html *h, const chart *c) {
    html_put(h, "<p class=\"legend\">");
    for (int i = 0; i < c->count; i++) {
        html_print(h,
            "<span><svg class=\"chart key\" viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path "
            "class=\"curve c%d l%d\" d=\"M1 5h20\"/></svg>",
            i % CHART_COLOURS, i / CHART_COLOURS % CHART_LINES);
        html_text(h, c->series[i].name);
        html_put(h, "</span> ");
    }
    html_put(h, "</p>");
}

void chart_put(html *h, const chart *c) {
    if (!chart_has_points(c)) return;
    chart_frame f = make_frame(c);
    svg_begin(h, WIDTH, HEIGHT, false);
    put_description(h, c);
    svg_described(h);
    frame_put(h, &f, c->x_label, c->y_label, false);
    for (int i = 0; i < c->count; i++) chart_curve_put(h, &f, &c->series[i], i);
    svg_end(h);
    if (c->count > 1 || c->named) put_legend(h, c);
}
