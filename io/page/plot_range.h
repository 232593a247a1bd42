/* Which values a plot has to show. Not collective. */
#ifndef AUXSEG_IO_PAGE_PLOT_RANGE_H
#define AUXSEG_IO_PAGE_PLOT_RANGE_H

#include "io/page/plot.h"

/* low > high: nothing yet. */
typedef struct plot_range {
    double low, high;
} plot_range;

extern const plot_range plot_range_none;

/* By a value; what no axis shows changes nothing. */
void plot_range_add(plot_range *r, double value);
/* By a mean and its interval. */
void plot_range_add_value(plot_range *r, plot_value v);
/* With room at both ends, so that no mark touches the frame. */
plot_range plot_range_wider(plot_range r);
/* Whether a mean can be drawn; whether its interval can. */
bool plot_value_shown(plot_value v);
bool plot_interval_shown(plot_value v);

#endif
