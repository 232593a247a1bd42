/* Spearman's rank correlation: Pearson's of the ranks, which with ties is not the formula with the
 * squared differences. It asks whether a better score goes with a better result, however far apart
 * the two are. A dozen cells is what a plan has, so ranks are counted pair by pair. */
#include "src/app/compare/rank_correlation.h"

#include "src/base/memory.h"

#include <math.h>

/* How many are below, and half of those that are equal: a rank from 0. */
static double rank_of(const double *value, int n, int i) {
    double rank = -0.5; /* itself is one of the equal ones */
    for (int k = 0; k < n; k++) rank += value[k] < value[i] ? 1 : value[k] == value[i] ? 0.5 : 0;
    return rank;
}

/* Pearson's, of ranks. Their mean is (n - 1) / 2 with ties as well. */
static double correlate(const double *x, const double *y, int n) {
    double xx = 0, yy = 0, xy = 0, mean = (n - 1) / 2.0;
    for (int i = 0; i < n; i++) {
        double a = rank_of(x, n, i) - mean, b = rank_of(y, n, i) - mean;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? fmax(-1, fmin(1, xy / sqrt(xx * yy))) : NAN;
}

status rank_correlation_of(const double *x, const double *y, int n, rank_correlation *out) {
    double *a = memory_alloc(2 * (size_t)n, sizeof *a, "rank correlation");
    if (!a) return STATUS_FAILED;
    double *b = a + n;
    rank_correlation r = {NAN, NAN, NAN, 0};
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        a[r.pairs] = x[i];
        b[r.pairs++] = y[i];
    }
    if (r.pairs >= 2) r.rho = correlate(a, b, r.pairs);
    /* Where all pairs are in order, atanh is infinite, and the interval would be a point: no
     * statement of how sure that is. */
    if (r.pairs >= 4 && fabs(r.rho) < 1 - 1e-12) {
        /* 1.96: the 97.5 % point of the normal distribution. */
        double half = 1.959964 * sqrt((1 + r.rho * r.rho / 2) / (r.pairs - 3));
        r.low = tanh(atanh(r.rho) - half);
        r.high = tanh(atanh(r.rho) + half);
    }
    memory_free(a);
    *out = r;
    return STATUS_OK;
}
