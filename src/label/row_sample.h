/* Which rows make a sample: spread evenly over all rows, drawn within an image, so that an image's
 * part follows from its place and a stream of its own, whichever rank holds it. Not collective:
 * mpi/row_sample.h gathers the rows. */
#ifndef AUXSEG_LABEL_ROW_SAMPLE_H
#define AUXSEG_LABEL_ROW_SAMPLE_H

#include "src/base/random.h"

#include <stdint.h>

/* Rows of the sample that fall to global rows 0 .. row - 1: the sample is spread evenly over all
 * rows, so an image's share is the difference at its ends. 0 <= sample <= rows. */
int64_t row_sample_share(int64_t row, int64_t rows, int64_t sample);

/* chosen [m]: m distinct numbers of 0 .. n - 1, ascending, every set equally likely; m <= n. */
void row_sample_choose(random_stream *r, int64_t n, int64_t m, int64_t *chosen);

#endif
