/* A 3 x 3 convolution of stride 1 by Winograd's minimal filtering (winograd_transform.h) around
 * matrix products: fewer multiplications (m = 2: 2.25 times, m = 4: 4 times), the same result but
 * for rounding. One image by a team at a time, like convolution.h; not collective. */
#ifndef AUXSEG_NN_KERNELS_WINOGRAD_H
#define AUXSEG_NN_KERNELS_WINOGRAD_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct winograd winograd;

/* The m for which the multiplications of the forward pass of c, and what the transforms cost, come
 * to least, of 2 and 4; *cost: in multiplications of a direct convolution. 0: not for this shape.
 * products: the arithmetic of the products; in bf16 m = 2 alone is exact enough. */
int winograd_choose(const conv_shape *c, dtype products, double *cost);

/* y = relu(conv(x) + bias + y) as the fusion says. Of f.transposed, c is the transposed shape, and
 * weights are packed from [I, O, 3, 3] in reverse. */
status winograd_forward(
    winograd **out, onednn *o, const conv_shape *c, conv_fusion f, int m, dtype products);
/* The weights' gradient, [9, C, O]. */
status winograd_backward_weights(
    winograd **out, onednn *o, const conv_shape *c, int m, dtype products);
/* NULL-safe. */
void winograd_destroy(winograd *w);

/* Scratch memory of each thread of an execution; memory that is held. */
size_t winograd_scratch(const winograd *w);
size_t winograd_bytes(const winograd *w);
/* Bytes of the transformed weights, which stand in memory of the caller's: borrowed. */
size_t winograd_packed_bytes(const winograd *w);
void winograd_place(winograd *w, void *packed);

/* weight fp32 [O, I, 3, 3]; by `threads` threads, each its part. */
void winograd_pack(const winograd *w, int thread, int threads, const float *weight);
status winograd_run(const winograd *w, const team *t, const void *x, void *y, const float *bias);
/* gradient [9, C, O]: written. */
status winograd_run_weights(
    const winograd *w, const team *t, const void *x, const void *dy, float *gradient);

#endif
