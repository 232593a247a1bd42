/* Curves as SVG by gnuplot, started without a shell. Not collective. */
#ifndef AUXSEG_IO_PAGE_PLOT_H
#define AUXSEG_IO_PAGE_PLOT_H

#include "io/page/html.h"

#include <stdbool.h>

typedef struct curve {
    int n;
    double *x, *y; /* [n] */
    double *trend; /* [n]: a smoothed y, drawn above it; NULL: y alone */
    int round;     /* names the curve where there are several */
} curve;

typedef enum plot_axis {
    AXIS_FIT,  /* as the values need it */
    AXIS_ZERO, /* from 0 */
    AXIS_LOG,  /* logarithmic: what is not positive is left out */
} plot_axis;

/* Appends an SVG element to the page; false, with nothing appended, if gnuplot is missing or fails.
 * y_label: our own text. */
bool plot_curves(html *h, const curve *c, int curves, const char *y_label, plot_axis y);

#endif
