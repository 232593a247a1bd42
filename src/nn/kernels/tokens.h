/* The operators of transformers that are loops over tokens: forward, of one image, by one thread or
 * each thread of a team its rows. Not collective. Tokens are [T, C] of `type`, C a multiple of
 * 16; each is computed by itself, in one order. */
#ifndef AUXSEG_NN_KERNELS_TOKENS_H
#define AUXSEG_NN_KERNELS_TOKENS_H

#include "src/base/dtype.h"

#include <stddef.h>

#define LAYER_NORM_EPSILON 1e-6f /* of all vision transformers; torch's default is 1e-5 */

/* y = weight (x - mean) / sqrt(variance + LAYER_NORM_EPSILON) + bias over each token's channels. */
void tokens_layer_norm(const void *x, void *y, size_t tokens, size_t channels, const float *weight,
    const float *bias, dtype t);
/* y = x Phi(x) of n elements, n a multiple of 16; y may be x. The error function is Eigen's
 * rational approximation: within 2e-6 of x Phi(x). */
void tokens_gelu(const void *x, void *y, size_t n, dtype t);
/* y = x scale, channel by channel. */
void tokens_scale(
    const void *x, void *y, size_t tokens, size_t channels, const float *scale, dtype t);
/* y [tokens, channels] = `channels` of x [tokens, total], from `channel` on. */
void tokens_take(
    const void *x, void *y, size_t tokens, size_t total, size_t channel, size_t channels, dtype t);

#endif
