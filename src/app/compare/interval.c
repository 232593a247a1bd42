/* Student's interval. The quantile is found by halving, on the distribution function in closed form
 * for whole degrees of freedom (M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions",
 * 26.7.3 and 26.7.4), so that no table ends anywhere. */
#include "src/app/compare/interval.h"

#include <math.h>

static const double level = 0.95;

/* P(|t| < value). */
static double probability(double value, int degrees) {
    static const double pi = 3.14159265358979323846;
    double angle = atan(value / sqrt(degrees)), c = cos(angle), sum = 0, term = 1;
    int even = degrees % 2 == 0;
    if (!even) term = c;
    /* Each term is the one before times (k - 1) / k for even degrees, k / (k + 1) for odd ones,
     * times cos^2. */
    for (int k = 2; k <= degrees; k += 2) {
        sum += term;
        term *= (even ? (k - 1.0) / k : k / (k + 1.0)) * c * c;
    }
    return even ? sin(angle) * sum : 2 / pi * (angle + sin(angle) * sum);
}

double interval_student(int degrees) {
    double low = 0, high = 16; /* one degree: 12.7, all others less */
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (probability(middle, degrees) < level)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* In two passes: values of nearly equal size must not lose their differences. */
interval interval_of(const double *x, int n) {
    interval r = {0, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(x[i])) sum += x[i], r.n++;
    if (r.n == 0) return r;
    r.mean = sum / r.n;
    if (r.n == 1) return r;
    for (int i = 0; i < n; i++)
        if (isfinite(x[i])) squares += (x[i] - r.mean) * (x[i] - r.mean);
    r.deviation = sqrt(squares / (r.n - 1));
    double half = interval_student(r.n - 1) * r.deviation / sqrt(r.n);
    r.low = r.mean - half;
    r.high = r.mean + half;
    return r;
}
