/* Means with intervals over a numeric setting, a line a series. Lines of several series that share
 * their settings would have their intervals on each other: each series is moved aside by a few
 * units, less than one reads from the axis. The mark's form, the dashes and the colour all tell a
 * series; any one of them is enough. */
#include "io/page/chart_curve.h"
#include "io/page/chart_frame.h"
#include "io/page/number.h"
#include "io/page/plot.h"
#include "io/page/plot_range.h"
#include "io/page/svg.h"

#include <math.h>
#include <stdio.h>

enum {
    WIDTH = 560,
    HEIGHT = 320,
    TICKS = 7,
    APART = 5, /* between series at the same value of the setting */
    SPAN = 5,  /* from which on the axis is logarithmic: settings are doubled, not added to */
    MARK = 4
};

static chart_frame make_frame(plot_range x, plot_range y) {
    bool log = x.low > 0 && x.high > SPAN * x.low;
    y = plot_range_wider(y);
    if (log) { /* room at the ends is a share of the logarithm */
        double margin = pow(x.high / x.low, 0.04);
        x = (plot_range){x.low / margin, x.high * margin};
    } else {
        x = plot_range_wider(x);
    }
    return frame_create(
        log ? axis_log(x.low, x.high, TICKS) : axis_linear(x.low, x.high, TICKS, false),
        axis_linear(y.low, y.high, TICKS, false), WIDTH, HEIGHT);
}

/* false: there is no point. */
static bool measure(const plot_lines *p, plot_range *x, plot_range *y) {
    *x = *y = plot_range_none;
    for (int i = 0; i < p->count; i++)
        for (int k = 0; k < p->series[i].n; k++) {
            if (!plot_value_shown(p->series[i].value[k])) continue;
            plot_range_add(x, p->series[i].x[k]);
            plot_range_add_value(y, p->series[i].value[k]);
        }
    return x->low <= x->high;
}

/* The line breaks where a mean is missing. */
static void put_line(
    html *h, const chart_frame *f, const plot_series *s, const char *class, double aside) {
    bool drawing = false;
    html_print(h, "<path class=\"%s\" d=\"", class);
    for (int k = 0; k < s->n; k++) {
        bool shown = plot_value_shown(s->value[k]);
        if (shown) {
            html_put(h, drawing ? "L" : "M");
            html_fixed(h, frame_x(f, s->x[k]) + aside, 1);
            html_put(h, " ");
            html_fixed(h, frame_y(f, s->value[k].mean), 1);
        }
        drawing = shown;
    }
    html_put(h, "\"/>");
}

static void put_series(html *h, const plot_lines *p, const chart_frame *f, int i) {
    const plot_series *s = &p->series[i];
    char class[32];
    int colour = i % CHART_COLOURS;
    double aside = APART * (i - (p->count - 1) / 2.0);
    snprintf(class, sizeof class, "curve c%d l%d", colour, i % CHART_LINES);
    put_line(h, f, s, class, aside);
    for (int k = 0; k < s->n; k++) {
        plot_value v = s->value[k];
        if (!plot_value_shown(v)) continue;
        double x = frame_x(f, s->x[k]) + aside;
        snprintf(class, sizeof class, "whisker c%d", colour);
        if (plot_interval_shown(v))
            svg_interval(h, class, true, x, frame_y(f, v.high), frame_y(f, v.low));
        snprintf(class, sizeof class, "mark c%d", colour);
        svg_mark(h, class, (svg_shape)(i % SVG_SHAPES), x, frame_y(f, v.mean), MARK);
    }
}

/* A legend even of one series: it says what the marks are. */
static void put_legend(html *h, const plot_lines *p) {
    html_put(h, "<p class=\"legend\">");
    for (int i = 0; i < p->count; i++) {
        char class[32];
        html_print(h,
            "<span><svg class=\"chart key\" viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path "
            "class=\"curve c%d l%d\" d=\"M1 5h20\"/>",
            i % CHART_COLOURS, i % CHART_LINES);
        snprintf(class, sizeof class, "mark c%d", i % CHART_COLOURS);
        svg_mark(h, class, (svg_shape)(i % SVG_SHAPES), 11, 5, MARK - 0.5);
        html_put(h, "</svg>");
        html_text(h, p->series[i].name);
        html_put(h, "</span> ");
    }
    html_put(h, "</p>\n");
}

/* "mIoU over clusters: contrastive, 100: 43.2 (41.0 to 45.4), ...; plain, ..." */
static void put_description(html *h, const plot_lines *p) {
    html_text(h, p->title);
    for (int i = 0; i < p->count; i++) {
        html_put(h, i > 0 ? "; " : ": ");
        html_text(h, p->series[i].name);
        for (int k = 0; k < p->series[i].n; k++) {
            html_put(h, ", ");
            html_number(h, NUMBER_PLAIN, p->series[i].x[k]);
            html_put(h, ": ");
            plot_value_put(h, p->series[i].value[k], 2, false);
        }
    }
}

void plot_lines_put(html *h, const plot_lines *p) {
    plot_range x, y;
    if (!measure(p, &x, &y)) return;
    chart_frame f = make_frame(x, y);
    svg_begin(h, WIDTH, HEIGHT, true);
    put_description(h, p);
    svg_described(h);
    frame_put(h, &f, p->x_label, p->y_label, false);
    for (int i = 0; i < p->count; i++) put_series(h, p, &f, i);
    svg_end(h);
    put_legend(h, p);
}
