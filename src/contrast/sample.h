/* Which pixels of a view become rows of the pool. Not collective. Depends on the stream alone. */
#ifndef AUXSEG_CONTRAST_SAMPLE_H
#define AUXSEG_CONTRAST_SAMPLE_H

#include "src/base/random.h"
#include "src/base/status.h"
#include "src/image/augment.h"

/* Evenly over labels: the pixels of each label present in random order, then one of each label in
 * turn (labels in random order) until `wanted` are taken or none is left. label [pixels],
 * LABEL_IGNORE is never taken. chosen [wanted] receives pixel indices, *count how many. */
status sample_even(
    random_stream *r, const uint16_t *label, int pixels, int wanted, int *chosen, int *count);

/* Pairs of pixels of two views' h x w grids that show the same place: up to `wanted` pixels of view
 * a whose place is inside b, first[i] in a, second[i] in b (nearest). label [h * w] of view a,
 * sampled evenly over labels as above, or NULL: uniformly. */
status sample_pairs(random_stream *r, const view *a, const view *b, int h, int w,
    const uint16_t *label, int wanted, int *first, int *second, int *count);

#endif
