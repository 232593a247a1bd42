/* Squared distances as 128-bit integers. Millions of floats of very different sizes are summed,
 * shared out over threads and ranks differently from run to run: only integers give one answer. A
 * float is a significand of 24 bits and a shift, so that nothing is lost down to the unit. */
#include "src/label/distance_sum.h"

#include "src/label/quantile.h"

#include <math.h>

/* Rows take `bits` bits and the largest distance `exponent`: what is left of 126 is below the
 * point. Units finer than the last bit of the smallest float hold nothing. */
int distance_sum_unit(int64_t rows, double largest) {
    enum { FLOAT_END = 149 }; /* floats end at 2^-149 */
    int bits, exponent;
    frexp((double)rows, &bits);
    frexp(largest, &exponent);
    int unit = 126 - bits - exponent;
    return unit < FLOAT_END ? unit : FLOAT_END;
}

/* Subnormal numbers have no implied bit. What lies below the unit is cut off, from each distance
 * alike, not rounded: no carry depends on neighbours. */
int128 distance_sum(const float *distance, size_t n, int unit) {
    const uint32_t implied = 1u << 23;
    int128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = quantile_bits(distance[i]), exponent = bits >> 23;
        int128 significand = bits & (implied - 1);
        if (exponent > 0) significand += implied;
        /* The value is significand * 2^(max(exponent, 1) - 150). */
        int shift = (exponent > 0 ? (int)exponent : 1) - 150 + unit;
        sum += shift >= 0 ? significand << shift : shift > -24 ? significand >> -shift : 0;
    }
    return sum;
}
