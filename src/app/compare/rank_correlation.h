/* Spearman's rank correlation. Not collective. */
#ifndef AUXSEG_APP_COMPARE_RANK_CORRELATION_H
#define AUXSEG_APP_COMPARE_RANK_CORRELATION_H

#include "src/base/status.h"

typedef struct rank_correlation {
    double rho, low, high; /* in [-1, 1]; NAN where there are too few pairs */
    int pairs;             /* whose values are both finite */
} rank_correlation;

/* Of the pairs (x, y) [n] whose values are both finite; equal values share the mean of their ranks.
 * rho needs two pairs with different values on either side, its 95 % interval four that are not all
 * in order: Fisher's z with
 * the variance of D. G. Bonett and T. A. Wright, "Sample size requirements for estimating Pearson,
 * Kendall and Spearman correlations", Psychometrika 65 (2000). */
status rank_correlation_of(const double *x, const double *y, int n, rank_correlation *out);

#endif
