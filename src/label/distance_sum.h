/* Sums of squared distances in 128-bit fixed point: the order of rows, and how they are dealt to
 * ranks, does not matter. Not collective. */
#ifndef AUXSEG_LABEL_DISTANCE_SUM_H
#define AUXSEG_LABEL_DISTANCE_SUM_H

#include "src/base/sum128.h"

#include <stddef.h>

/* 2^unit stands for one: the sum of `rows` (> 0) distances, none above `largest`, stays below
 * 2^126. */
int distance_sum_unit(int64_t rows, double largest);
/* Of distance [n] in units of 2^-unit; bits below one are cut off, from each alike. */
int128 distance_sum(const float *distance, size_t n, int unit);

#endif
