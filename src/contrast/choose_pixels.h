/* Which pixels of a view become rows of the pool. Not collective. Depends on the stream alone. */
#ifndef AUXSEG_CONTRAST_CHOOSE_PIXELS_H
#define AUXSEG_CONTRAST_CHOOSE_PIXELS_H

#include "src/base/random.h"
#include "src/base/status.h"
#include "src/image/augment.h"

/* What is drawn from: the map of a view, of the first one where two are drawn together. */
typedef struct label_grid {
    int h, w;
    const uint16_t *label; /* [h * w], borrowed; LABEL_IGNORE is never taken */
    double boundary;       /* of the pixels taken of a label, the share that has a neighbour, one of
                              four, with another label (not LABEL_IGNORE), as far as there are such
                              pixels, and others; below 0: as chance has it */
} label_grid;

/* Evenly over labels: the pixels of each label present in random order, then one of each label in
 * turn (labels in random order) until `wanted` are taken or none is left. chosen [wanted] receives
 * pixel indices, *count how many. */
status choose_evenly(random_stream *r, const label_grid *g, int wanted, int *chosen, int *count);

/* Pixels that show the same place: first[i] of the first view, second[i] of the other. */
typedef struct pixel_pairs {
    int *first, *second; /* [wanted], the caller's */
    int count;
} pixel_pairs;

/* Up to `wanted` pixels of pair[0] whose place is inside of pair[1], with the nearest pixel there:
 * evenly over labels as above, or uniformly if g->label is NULL. */
status choose_pairs(
    random_stream *r, const view pair[2], const label_grid *g, int wanted, pixel_pairs *out);

#endif
