/* From float64 to integers and back. Two exchanges are needed, the exponents and the sums: a scale
 * that is fixed beforehand would waste bits, as variances of channels lie many orders of magnitude
 * apart, and one that is guessed could overflow. */
#include "src/base/fixed_sum.h"

#include <math.h>

int fixed_bits(int64_t terms, int most) {
    int log = 0;
    while (log < FIXED_SUM_BITS && ((int64_t)1 << log) < terms) log++;
    return FIXED_SUM_BITS - log < most ? FIXED_SUM_BITS - log : most;
}

/* Smallest e with |x| < 2^e. */
static int32_t exponent_of(double x) {
    int e;
    if (!isfinite(x)) return FIXED_NONFINITE;
    if (x == 0) return FIXED_ZERO;
    frexp(x, &e);
    return e;
}

void fixed_exponents(const double *x, size_t n, int32_t *exponent) {
    for (size_t i = 0; i < n; i++) {
        int32_t e = exponent_of(x[i]);
        if (e > exponent[i]) exponent[i] = e;
    }
}

/* The scaled term is exact, unless it is far below the unit; the rounding is to nearest. */
int64_t fixed_from(double x, int32_t exponent, int bits) {
    if (exponent == FIXED_ZERO || exponent == FIXED_NONFINITE) return 0;
    return llrint(ldexp(x, bits - exponent));
}

void fixed_add(const double *x, size_t n, const int32_t *exponent, int bits, int64_t *sum) {
    for (size_t i = 0; i < n; i++) sum[i] += fixed_from(x[i], exponent[i], bits);
}

double fixed_value(int64_t sum, int32_t exponent, int bits) {
    if (exponent == FIXED_NONFINITE) return NAN;
    return exponent == FIXED_ZERO ? 0 : ldexp((double)sum, exponent - bits);
}
