/* Exact selection of the largest values of each of several groups, spread over ranks: radix
 * histograms of the bits of non-negative floats, which order like the values. Not collective: the
 * histogram of a pass adds over ranks. */
#ifndef AUXSEG_LABEL_QUANTILE_H
#define AUXSEG_LABEL_QUANTILE_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct quantile {
    int groups, digit, shift; /* bits of a pass's digit; where it lies in a value */
    /* [groups]: the threshold's bits, from the highest down. After the last pass: of the `want`
     * largest values, those above the threshold, and left[g] of those equal to it. */
    uint32_t *threshold;
    int64_t *left;
    int64_t *histogram; /* [groups << digit], of this pass */
} quantile;

/* want [groups]: how many of the largest of each group; 0 is legal and leaves the threshold at
 * UINT32_MAX, at most the group's size over all ranks. */
status quantile_create(quantile *q, int groups, const int64_t *want);
void quantile_destroy(quantile *q);

/* The histogram of this pass, of this rank's values: value [n] >= 0, group [n], NULL if there is
 * only one; groups out of range (LABEL_NONE) take no part. The caller then adds it over ranks. */
void quantile_count(quantile *q, const float *value, const uint16_t *group, size_t n);
/* Narrows the thresholds down by the summed histogram; true: another pass is needed. */
bool quantile_narrow(quantile *q);

/* The order of values as integers. */
uint32_t quantile_bits(float value);
/* A threshold as a value; infinity if none was wanted. */
float quantile_value(uint32_t bits);

#endif
