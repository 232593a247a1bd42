/* A convolution of stride 1 in fp32, forward, one tap of the kernel after the other: to the outputs
 * of a tap's rectangle the product of its inputs and its weights is added, by our own products
 * (matrix.h). For dilated kernels on processors without AVX-512, for which oneDNN has no direct
 * kernel: what it does there multiplies all of the padding, and takes two to twenty times as long.
 * Not collective. One image by a team at a time, like convolution.h. */
#ifndef AUXSEG_NN_KERNELS_TAP_FORWARD_H
#define AUXSEG_NN_KERNELS_TAP_FORWARD_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct tap_forward tap_forward;

/* Outputs come in whole panels of matrix.h. */
bool tap_forward_fits(const conv_shape *c);
status tap_forward_create(tap_forward **out, const conv_shape *c, conv_fusion f);
/* NULL-safe. */
void tap_forward_destroy(tap_forward *k);
/* Of the packed weights, which it holds. */
size_t tap_forward_bytes(const tap_forward *k);
/* weight [O, C, k, k]; with f.transposed those of the layer whose backward pass this is, [C, O, k,
 * k], which are flipped. Part `thread` of `threads` parts. */
void tap_forward_pack(tap_forward *k, int thread, int threads, const float *weight);
/* y = relu(conv(x) + bias + y), as the fusion says. An element has one order of sums, for teams of
 * any size: taps in their order, of each all channels. */
void tap_forward_run(
    const tap_forward *k, const team *t, const float *x, float *y, const float *bias);

#endif
