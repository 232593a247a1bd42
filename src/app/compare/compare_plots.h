/* What of a comparison is drawn: the score of the labels against the result, and the result over
 * the one numeric setting that varies. Not collective. */
#ifndef AUXSEG_APP_COMPARE_COMPARE_PLOTS_H
#define AUXSEG_APP_COMPARE_COMPARE_PLOTS_H

#include "io/page/compare_page.h"
#include "src/app/compare/results.h"

enum {
    COMPARE_PLOTTED = 1, /* the figure of the score that is drawn: positive_mean, which counts
                            labels evenly, as the loss samples them */
    COMPARE_SERIES = 6,  /* most lines of a plot */
    COMPARE_TEXT = 500
};
/* What that figure is called in run.json and compare.csv. */
extern const char compare_plotted[];

/* Pointers borrow from the results and from here; NULL: there is nothing to draw. */
typedef struct compare_plots {
    const plot_scatter *scatter;
    const plot_lines *lines;
    char scatter_note[COMPARE_TEXT], lines_note[COMPARE_TEXT];
    compare_page_correlation correlation[COMPARE_SCORES];
    int correlations;
    /* What they stand on: */
    plot_scatter dots;
    plot_lines curves;
    plot_point *dot; /* [cells] */
    plot_series series[COMPARE_SERIES];
    char name[COMPARE_SERIES][COMPARE_TEXT];
    double *x; /* [cells], as the next two: the series one after the other */
    plot_value *value;
    int *order;
} compare_plots;

/* Three cells with both figures are needed for the first plot. For the second a setting whose
 * values are numbers, three or more different ones; cells that differ in it alone are a line. out
 * is destroyed by the caller, whatever is returned. */
status compare_plots_create(compare_plots *out, const compare_results *r);
/* NULL-safe members. */
void compare_plots_destroy(compare_plots *p);

/* Shares as points of a hundred. */
plot_value compare_percent(interval i);

#endif
