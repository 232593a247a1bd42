/* CutMix (Yun et al. 2019, arXiv:1905.04899): a rectangle of a view shows another view. Not
 * collective.
 * Boxes are those of French et al. 2020, arXiv:1906.01916: of a fixed share of the area, the ratio
 * of the sides' shares drawn log-uniformly, the place uniformly. */
#ifndef AUXSEG_IMAGE_CUTMIX_H
#define AUXSEG_IMAGE_CUTMIX_H

#include "src/base/random.h"

/* Pixels top .. bottom - 1, left .. right - 1; empty if top == bottom. */
typedef struct mix_box {
    int top, left, bottom, right;
} mix_box;

/* A box of a view of side x side pixels. share: in (0, 1] of its area, but for rounding. */
mix_box mix_box_draw(random_stream *r, double share, int side);
/* The box's pixels of `from` into `to`, both fp32 [side, side, 3]. */
void mix_views(const mix_box *box, int side, const float *from, float *to);

#endif
