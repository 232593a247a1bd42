/* The one definition of a row of length 1, for features, centroids and embeddings:
 *
 *     y_j = float32( x_j * s ),    s = 1 / sqrt( sum_j x_j^2 )
 *
 * Squares and their sum, in the order of j, in float64, where those of float32 values neither
 * overflow nor vanish; s and the product in float64 as well, so that y_j is rounded to float32
 * once. A row of zeros stays as it is, and its s is 0. A row with an infinity or a NaN keeps a NaN,
 * so that checks refuse it by name. Not collective. The result depends on the row
 * alone. */
#ifndef AUXSEG_BASE_UNIT_LENGTH_H
#define AUXSEG_BASE_UNIT_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

/* s, from the sum of squares. */
double unit_length_scale(double squares);
/* s of a row x [D]. */
double unit_length_of(const float *x, int d);
/* y [D] becomes the row of x [D], which may be y; returns s. */
double unit_length_row(const float *x, int d, float *y);
/* Rows [n, D], each in its place. */
void unit_length_rows(float *x, size_t n, int d);

/* What rounding the elements of a row of length 1 to float32, float16 or bf16 changes its squared
 * length by, at most: 2^-24, 2^-11 and 2^-9 an element, relatively, twice that in the square, and
 * as much again for what is flushed to smaller numbers. */
#define UNIT_LENGTH_F32 0x1p-22
#define UNIT_LENGTH_F16 0x1p-9
#define UNIT_LENGTH_BF16 0x1p-7
/* Whether the row's squared length is 1 but for `rounding`. */
bool unit_length_is(const float *x, int d, double rounding);
/* Rows whose squared length is 1 but for `rounding` stay as they are, to the bit; the others get
 * length 1. So rows that come back from a file are those that were written. */
void unit_length_others(float *x, size_t n, int d, double rounding);

#endif
