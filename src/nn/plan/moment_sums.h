/* The step that running statistics take over the units of a batch, as a sum that is the same bits
 * however units are dealt to ranks. Moving an average r over U units x_0, x_1, ... one after
 * another by r += m (x_u - r) is, written out,
 *
 *   r' = (1 - m)^U r + sum over u of m (1 - m)^(U - 1 - u) x_u
 *
 * so that a unit's weight follows from how many units come after it, and nothing but the sum need
 * cross ranks: 12 bytes a figure, whatever U. It is added in fixed point (src/base/fixed_sum.h).
 *
 * Error: weights add up to 1 at most, so that a term takes 61 bits for any U. Beside the formula in
 * exact arithmetic the sum is off by U 2^-62 2^e for rounding to integers and 3 2^-50 2^e for
 * weights and products in float64, 2^e at most twice the largest |x_u|: below 2^-24 of that, one
 * rounding of the float32 result, for any batch (U < 2^36). Not collective. */
#ifndef AUXSEG_NN_PLAN_MOMENT_SUMS_H
#define AUXSEG_NN_PLAN_MOMENT_SUMS_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct moment_sums {
    size_t width;      /* figures of a unit: the means and variances of all norms */
    int32_t *exponent; /* [width], of the largest of all units */
    int64_t *sum;      /* [width] */
} moment_sums;

status moment_sums_create(moment_sums *out, size_t width);
/* Of one that was made, or is zero. */
void moment_sums_destroy(moment_sums *s);

/* s->exponent of the caller's units, moments [units, width]; s->sum is zero. Their maximum over all
 * callers belongs into s->exponent before moment_sums_add. */
void moment_sums_begin(moment_sums *s, const double *moments, int units);
/* Adds the caller's units, which stand together in the batch; `after` units of others follow them.
 */
void moment_sums_add(moment_sums *s, const double *moments, int units, int after);
/* running [n], figures at .. at + n - 1, over all units of the batch: s->sum is that of all
 * callers. Rounded to float32 once. NaN where a moment was not finite. */
void moment_sums_move(const moment_sums *s, size_t at, size_t n, int units, float *running);

#endif
