/* A scatter plot whose points have names and intervals in both directions. Names stand at their
 * points, as a legend of a dozen marks sends the eye to and fro; plot_labels.c finds their places.
 * The intervals are faint: position is what is read first. */
#include "io/page/chart_frame.h"
#include "io/page/plot.h"
#include "io/page/plot_labels.h"
#include "io/page/plot_range.h"
#include "io/page/svg.h"
#include "src/base/memory.h"

#include <math.h>

enum {
    WIDTH = 640,
    HEIGHT = 420,
    TICKS = 8,
    NAME = 30, /* most letters of a name that are shown */
    BOXES = 3, /* a point: its mark, two intervals */
    MARK = 5   /* half of a mark's size */
};

static bool shown(const plot_point *p) {
    return plot_value_shown(p->x) && plot_value_shown(p->y);
}

/* false: there is no point. */
static bool make_frame(const plot_scatter *p, chart_frame *f) {
    plot_range x = plot_range_none, y = plot_range_none;
    for (int i = 0; i < p->points; i++) {
        if (!shown(&p->point[i])) continue;
        plot_range_add_value(&x, p->point[i].x);
        plot_range_add_value(&y, p->point[i].y);
    }
    if (x.low > x.high) return false;
    x = plot_range_wider(x);
    y = plot_range_wider(y);
    *f = frame_create(axis_linear(x.low, x.high, TICKS, false),
        axis_linear(y.low, y.high, TICKS, false), WIDTH, HEIGHT);
    return true;
}

/* What a point draws, as boxes that names should not cover: [BOXES]. */
static void point_boxes(const chart_frame *f, const plot_point *p, plot_box *box) {
    double x = frame_x(f, p->x.mean), y = frame_y(f, p->y.mean);
    for (int i = 0; i < BOXES; i++) box[i] = (plot_box){x - MARK, y - MARK, x + MARK, y + MARK};
    if (plot_interval_shown(p->x))
        box[1] = (plot_box){frame_x(f, p->x.low), y - 1, frame_x(f, p->x.high), y + 1};
    if (plot_interval_shown(p->y))
        box[2] = (plot_box){x - 1, frame_y(f, p->y.high), x + 1, frame_y(f, p->y.low)};
}

static void put_point(html *h, const chart_frame *f, const plot_point *p) {
    double x = frame_x(f, p->x.mean), y = frame_y(f, p->y.mean);
    if (plot_interval_shown(p->x))
        svg_interval(h, "raw c0", false, y, frame_x(f, p->x.low), frame_x(f, p->x.high));
    if (plot_interval_shown(p->y))
        svg_interval(h, "raw c0", true, x, frame_y(f, p->y.high), frame_y(f, p->y.low));
    if (p->reference)
        svg_mark(h, "mark c0", SVG_SQUARE, x, y, MARK);
    else
        svg_mark(h, "mark solid c0", SVG_CIRCLE, x, y, MARK - 1);
}

/* Points first, then all names above them. label [points], box [points * BOXES]: room. */
static void put_points(
    html *h, const plot_scatter *p, const chart_frame *f, plot_label *label, plot_box *box) {
    const plot_box inside = {f->left, f->top, f->left + f->width, f->top + f->height};
    int n = 0;
    for (int i = 0; i < p->points; i++) {
        const plot_point *at = &p->point[i];
        if (!shown(at)) continue;
        int letters = svg_letters(at->name);
        point_boxes(f, at, box + BOXES * n);
        label[n++] = (plot_label){.x = frame_x(f, at->x.mean),
            .y = frame_y(f, at->y.mean),
            .width = SVG_LETTER * (letters < NAME ? letters : NAME)};
        put_point(h, f, at);
    }
    plot_labels_place(label, n, box, BOXES * n, inside);
    n = 0;
    for (int i = 0; i < p->points; i++) {
        if (!shown(&p->point[i])) continue;
        const plot_label *l = &label[n++];
        svg_name(h, l->text_x, l->text_y, l->anchor, p->point[i].name, NAME);
    }
}

/* "Score and mIoU: k-means, 0.61 (0.58 to 0.64), 43.2; ..." */
static void put_description(html *h, const plot_scatter *p) {
    bool any = false;
    html_text(h, p->title);
    for (int i = 0; i < p->points; i++) {
        if (!shown(&p->point[i])) continue;
        html_put(h, any ? "; " : ": ");
        any = true;
        html_text(h, p->point[i].name);
        html_put(h, ", ");
        plot_value_put(h, p->point[i].x, 3, false);
        html_put(h, ", ");
        plot_value_put(h, p->point[i].y, 3, false);
    }
}

void plot_scatter_put(html *h, const plot_scatter *p) {
    chart_frame f;
    if (!make_frame(p, &f)) return;
    plot_label *label = memory_alloc((size_t)p->points, sizeof *label, "names of a plot");
    plot_box *box = memory_alloc((size_t)p->points * BOXES, sizeof *box, "names of a plot");
    if (label && box) {
        svg_begin(h, WIDTH, HEIGHT, true);
        put_description(h, p);
        svg_described(h);
        frame_put(h, &f, p->x_label, p->y_label, true);
        put_points(h, p, &f, label, box);
        svg_end(h);
    } else {
        html_fail(h, STATUS_FAILED);
    }
    memory_free(label);
    memory_free(box);
}
