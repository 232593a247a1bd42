/* Sums of float64 terms that come to the same bits in any order and however the terms are dealt:
 * each term is rounded once, to a multiple of a power of two that all share, and integers add.
 * Not collective: whoever has a part of the terms finds its exponents, takes the maximum with the
 * others, adds its terms, and the sums are added.
 *
 * With |x| < 2^exponent for all terms, a term becomes an integer of at most 2^bits, off by at most
 * half a unit: n terms are off by n 2^(exponent - bits - 1) at most. */
#ifndef AUXSEG_BASE_FIXED_SUM_H
#define AUXSEG_BASE_FIXED_SUM_H

#include <stddef.h>
#include <stdint.h>

enum {
    FIXED_ZERO = INT32_MIN,      /* the exponent of zero, */
    FIXED_NONFINITE = INT32_MAX, /* and of what is not finite: larger than all others */
    FIXED_SUM_BITS = 61,         /* of a sum, which may be rounded up by as many half units */
};

/* Bits for a term, so that the sum of `terms` has at most FIXED_SUM_BITS; at most `most`. */
int fixed_bits(int64_t terms, int most);
/* exponent [n] is raised to that of x [n]. */
void fixed_exponents(const double *x, size_t n, int32_t *exponent);
/* The term as an integer; 0 for FIXED_ZERO and FIXED_NONFINITE. */
int64_t fixed_from(double x, int32_t exponent, int bits);
/* sum [n] += the terms x [n]. */
void fixed_add(const double *x, size_t n, const int32_t *exponent, int bits, int64_t *sum);
/* The sum as a number; NaN where a term was not finite. */
double fixed_value(int64_t sum, int32_t exponent, int bits);

#endif
