/* The range of a plot's values, their intervals included: an interval that leaves the frame would
 * look as if it ended there. */
#include "io/page/plot_range.h"

#include "io/page/chart_axis.h"
#include "io/page/number.h"

#include <math.h>

const plot_range plot_range_none = {INFINITY, -INFINITY};

void plot_range_add(plot_range *r, double value) {
    if (!axis_shows(false, value)) return;
    if (value < r->low) r->low = value;
    if (value > r->high) r->high = value;
}

void plot_range_add_value(plot_range *r, plot_value v) {
    if (!plot_value_shown(v)) return;
    plot_range_add(r, v.mean);
    if (!plot_interval_shown(v)) return;
    plot_range_add(r, v.low);
    plot_range_add(r, v.high);
}

plot_range plot_range_wider(plot_range r) {
    double margin = (r.high - r.low) / 20;
    return (plot_range){r.low - margin, r.high + margin};
}

bool plot_value_shown(plot_value v) {
    return axis_shows(false, v.mean);
}

bool plot_interval_shown(plot_value v) {
    return plot_value_shown(v) && axis_shows(false, v.low) && axis_shows(false, v.high);
}

/* html_number's dash where there is nothing. */
void plot_value_put(html *h, plot_value v, int decimals, bool sign) {
    const double part[] = {v.mean, v.low, v.high};
    static const char *const before[] = {"", " (", " to "};
    if (!plot_value_shown(v)) {
        html_number(h, NUMBER_PLAIN, NAN);
        return;
    }
    int parts = plot_interval_shown(v) ? 3 : 1;
    for (int i = 0; i < parts; i++) {
        html_put(h, before[i]);
        if (sign || part[i] < 0)
            html_signed(h, part[i], decimals);
        else
            html_fixed(h, part[i], decimals);
    }
    if (parts > 1) html_put(h, ")");
}
