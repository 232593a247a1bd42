/* Where a chart's values are: two axes and the room between them. Not collective. Results depend on
 * the arguments alone. */
#ifndef AUXSEG_IO_PAGE_CHART_FRAME_H
#define AUXSEG_IO_PAGE_CHART_FRAME_H

#include "io/page/chart_axis.h"
#include "io/page/html.h"

/* In the SVG's units. */
typedef struct chart_frame {
    axis x, y;
    double left, top, width, height;
} chart_frame;

/* What the frame leaves free above it, below it and at its right: the label of the vertical axis;
 * labels of ticks and of the horizontal axis; half of the last tick's label. */
enum { FRAME_TOP = 22, FRAME_BOTTOM = 34, FRAME_RIGHT = 16 };

/* The frame of these axes in an SVG of width x height; labels of the vertical axis decide what is
 * left free at the left. */
chart_frame frame_create(axis x, axis y, int width, int height);
/* The place of a value of an axis. */
double frame_x(const chart_frame *f, double value);
double frame_y(const chart_frame *f, double value);
/* Appends both axes with their ticks and labels (any text), and a horizontal rule at each tick;
 * upright: vertical rules too. */
void frame_put(
    html *h, const chart_frame *f, const char *x_label, const char *y_label, bool upright);

#endif
