/* The box of CutMix and the mixture of two views. What a box takes of the height is the share to a
 * power between 0 and 1, and what it takes of the width is the rest, so that every box has one
 * area: how hard a mixture is does not change from image to image. */
#include "src/image/cutmix.h"

#include <math.h>
#include <string.h>

/* Rounded to whole pixels, and at least one. */
static int pixels(double share, int side) {
    int n = (int)floor(share * side + 0.5);
    return n < 1 ? 1 : n;
}

mix_box mix_box_draw(random_stream *r, double share, int side) {
    double tall = pow(share, random_uniform(r));
    int height = pixels(tall, side), width = pixels(share / tall, side);
    int top = (int)random_below(r, (uint64_t)(side - height) + 1);
    int left = (int)random_below(r, (uint64_t)(side - width) + 1);
    return (mix_box){top, left, top + height, left + width};
}

void mix_views(const mix_box *box, int side, const float *from, float *to) {
    size_t line = (size_t)(box->right - box->left) * 3 * sizeof *to;
    for (int y = box->top; y < box->bottom; y++) {
        size_t at = ((size_t)y * (size_t)side + (size_t)box->left) * 3;
        memcpy(to + at, from + at, line);
    }
}
