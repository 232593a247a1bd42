/* Rows of length 1. Features, centroids and embeddings are all compared by their angle, so they
 * must agree to the bit on what length 1 is: it stands here and nowhere else. */
#include "src/base/unit_length.h"

#include <math.h>

double unit_length_scale(double squares) {
    /* NaN goes on to the row: what is not finite must not look like a row of zeros. */
    return squares <= 0 ? 0 : 1 / sqrt(squares);
}

double unit_length_of(const float *x, int d) {
    double squares = 0;
    for (int j = 0; j < d; j++) squares += (double)x[j] * (double)x[j];
    return unit_length_scale(squares);
}

/* False for a NaN. */
bool unit_length_is(const float *x, int d, double rounding) {
    double squares = 0;
    for (int j = 0; j < d; j++) squares += (double)x[j] * (double)x[j];
    return fabs(squares - 1) <= rounding;
}

void unit_length_others(float *x, size_t n, int d, double rounding) {
    for (size_t i = 0; i < n; i++, x += d)
        if (!unit_length_is(x, d, rounding)) unit_length_row(x, d, x);
}

/* y may be x: the scale is known before the first element is written. */
double unit_length_row(const float *x, int d, float *y) {
    double scale = unit_length_of(x, d);
    for (int j = 0; j < d; j++) y[j] = (float)((double)x[j] * scale);
    return scale;
}

void unit_length_rows(float *x, size_t n, int d) {
    for (size_t i = 0; i < n; i++, x += d) unit_length_row(x, d, x);
}
