/* Line charts as SVG inside of a page: axes with round ticks, curves, a legend where there are
 * several. Not collective. The text depends on the data alone. */
#ifndef AUXSEG_IO_PAGE_CHART_H
#define AUXSEG_IO_PAGE_CHART_H

#include "io/page/chart_curve.h"

typedef enum chart_scale {
    CHART_FIT,  /* as the values need it */
    CHART_ZERO, /* from 0 */
    CHART_LOG,  /* logarithmic where the values span more than 100 to 1, else as CHART_FIT; what is
                   not above 0 is then a gap */
} chart_scale;

typedef struct chart {
    const char *title;             /* what a reader hears who does not see the chart; any text */
    const char *x_label, *y_label; /* with units; any text */
    chart_scale scale;
    const chart_series *series; /* [count] */
    int count;
    bool named; /* a legend even of one series: there could have been another */
} chart;

/* Whether there is a point to draw. */
bool chart_has_points(const chart *c);
/* Appends an <svg>; nothing if there is no point. However many points: those of a pixel's column
 * are drawn as its first, lowest, highest and last, so that no peak is lost. */
void chart_put(html *h, const chart *c);

#endif
