/* Which pixels of a view become rows of the pool. Not collective. Depends on the stream alone. */
#ifndef AUXSEG_CONTRAST_CHOOSE_PIXELS_H
#define AUXSEG_CONTRAST_CHOOSE_PIXELS_H

#include "src/base/random.h"
#include "src/base/status.h"
#include "src/image/augment.h"

/* Evenly over labels: the pixels of each label present in random order, then one of each label in
 * turn (labels in random order) until `wanted` are taken or none is left. label [pixels],
 * LABEL_IGNORE is never taken. chosen [wanted] receives pixel indices, *count how many. */
status choose_evenly(
    random_stream *r, const uint16_t *label, int pixels, int wanted, int *chosen, int *count);

/* The grid of both views of a pair. */
typedef struct pair_grid {
    int h, w;
    const uint16_t *label; /* [h * w], of the first view; borrowed */
} pair_grid;

/* Pixels that show the same place: first[i] of the first view, second[i] of the other. */
typedef struct pixel_pairs {
    int *first, *second; /* [wanted], the caller's */
    int count;
} pixel_pairs;

/* Up to `wanted` pixels of pair[0] whose place is inside of pair[1], with the nearest pixel there:
 * evenly over labels as above, or uniformly if g->label is NULL. */
status choose_pairs(
    random_stream *r, const view pair[2], const pair_grid *g, int wanted, pixel_pairs *out);

#endif
