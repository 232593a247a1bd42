/* What of a comparison is drawn: the score of the labels against the result, and the result over
 * the numeric settings that vary. Not collective. */
#ifndef AUXSEG_APP_COMPARE_COMPARE_PLOTS_H
#define AUXSEG_APP_COMPARE_COMPARE_PLOTS_H

#include "io/page/compare_page.h"
#include "src/app/compare/results.h"

#include <stdbool.h>

enum {
    COMPARE_PLOTTED = 1, /* the figure of the score that is drawn: positive_mean, which counts
                            labels evenly, as the loss samples them */
    COMPARE_SERIES = 6,  /* most lines of a plot */
    COMPARE_AXES = 3,    /* most plots of lines */
    COMPARE_TEXT = 500
};
/* What that figure is called in run.json and compare.csv. */
extern const char compare_plotted[];

/* Pointers borrow from the results and from here; NULL: there is nothing to draw. */
typedef struct compare_plots {
    const plot_scatter *scatter;
    compare_page_lines lines[COMPARE_AXES];
    int line_plots;
    char scatter_note[COMPARE_TEXT];
    compare_page_correlation correlation[COMPARE_SCORES];
    int correlations;
    /* What they stand on: */
    plot_scatter dots;
    plot_point *dot; /* [cells] */
    plot_series series[COMPARE_AXES][COMPARE_SERIES];
    char name[COMPARE_AXES][COMPARE_SERIES][COMPARE_TEXT], lines_note[COMPARE_AXES][COMPARE_TEXT];
    double *x; /* [cells], as the next two: the series one after the other */
    plot_value *value;
    int *order;
    bool *drawn; /* [cells]: in a line */
    int cells_drawn;
} compare_plots;

/* Three cells with both figures are needed for the first plot. For the others a setting whose
 * values are numbers, three or more different ones; cells that differ in it alone are a line. The
 * setting with the most values is the first axis; the next one draws what is in no line yet. out is
 * destroyed by the caller, whatever is returned. */
status compare_plots_create(compare_plots *out, const compare_results *r);
/* NULL-safe members. */
void compare_plots_destroy(compare_plots *p);

/* Shares as points of a hundred. */
plot_value compare_percent(interval i);

#endif
