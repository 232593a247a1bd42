/* Which outputs a tap of a convolution of stride 1 adds to: a rectangle of the map, as its input
 * lies inside for these alone. */
#ifndef AUXSEG_NN_KERNELS_TAP_RECTANGLE_H
#define AUXSEG_NN_KERNELS_TAP_RECTANGLE_H

#include "src/nn/kernels/onednn.h"

/* Outputs y .. y + height - 1, x .. x + width - 1, whose input stands (down, right) from them. Of a
 * tap that is outside for all of them a side is 0. */
typedef struct tap_rectangle {
    int y, x, height, width, down, right;
} tap_rectangle;

/* Along one side, for a tap `offset` from its outputs. */
static inline void tap_side(int in, int out, int offset, int *begin, int *count) {
    int first = offset < 0 ? -offset : 0, end = in - offset < out ? in - offset : out;
    *begin = first;
    *count = end > first ? end - first : 0;
}

/* Taps are numbered row by row, as PyTorch stores a kernel. */
static inline tap_rectangle tap_rectangle_of(const conv_shape *c, int tap) {
    tap_rectangle r = {.down = tap / c->kernel * c->dilation - c->padding,
        .right = tap % c->kernel * c->dilation - c->padding};
    tap_side(c->height, c->out_height, r.down, &r.y, &r.height);
    tap_side(c->width, c->out_width, r.right, &r.x, &r.width);
    return r;
}

#endif
