/* The operators that are not convolutions: forward and backward of one image, or of a thread's part
 * of it, in one order. Not collective. Images are [H, W, C] of `type`; gradients likewise; `add`
 * says that a gradient is added to what stands there. Formulas are PyTorch's. */
#ifndef AUXSEG_NN_KERNELS_LAYERS_H
#define AUXSEG_NN_KERNELS_LAYERS_H

#include "src/base/dtype.h"
#include "src/base/random.h"

#include <stdbool.h>
#include <stdint.h>

/* Of which rows, or channels, a call computes what. Channels begin at a multiple of 32. */
typedef struct layer_part {
    int begin, end;
} layer_part;

enum { ROW = 512 }; /* floats of a piece; channels are cut where there are more */

typedef struct layer_shape {
    int in_height, in_width, out_height, out_width, channels;
    int kernel, stride, padding;
    dtype type;
} layer_shape;

/* ---- elementwise (elementwise.c): n elements ---- */
void layer_convert_in(const float *x, void *y, size_t n, dtype t);  /* fp32 to storage */
void layer_convert_out(const void *x, float *y, size_t n, dtype t); /* storage to fp32 */
/* y (+)= x, fp32 to storage. */
void layer_take_float(const float *x, void *y, size_t n, bool add, dtype t);
/* sum [n] = x, or sum + x. */
void layer_accumulate(float *sum, const float *x, size_t n, bool add);
/* Sums over pixels, added in float64: sum [C]. */
void layer_channel_sums(const void *x, size_t pixels, int channels, dtype t, float *sum);
void layer_relu(const void *x, void *y, size_t n, dtype t);
void layer_add(const void *a, const void *b, void *y, size_t n, bool relu, dtype t);
/* dx (+)= dy where y > 0; y NULL: everywhere. */
void layer_pass(const void *dy, const void *y, void *dx, size_t n, bool add, dtype t);
/* Channels from `begin` on of [pixels, total]: what concatenation reads and its gradient writes. */
void layer_put(const void *x, void *y, size_t pixels, int channels, int begin, int total, dtype t);
void layer_take(const void *dy, void *dx, size_t pixels, const int channels[3], bool add, dtype t);
/* y (+)= x / (1 - probability) where the stream says so, else 0; backward with the same stream. */
void layer_dropout(
    const void *x, void *y, size_t n, double probability, random_stream r, bool add, dtype t);

/* ---- norm (norm.c): pixels x C ---- */
/* A norm of C channels as y = scale x + shift, then ReLU where it has one. Arrays [C]. */
typedef struct layer_norm {
    int channels;
    bool relu;
    const float *scale, *shift;
    const double *mean, *deviation; /* of the backward pass */
} layer_norm;

/* Of the channels `part`: mean [C] and m2 [C], the sum of squared deviations, in one pass: fp32
 * sums of blocks of pixels, combined in float64 (Chan, Golub, LeVeque 1983). Errors are of fp32's
 * size relative to m2, however large the mean. */
void layer_moments(
    const void *x, size_t pixels, int channels, layer_part part, dtype t, double *mean, double *m2);
/* y = scale x + shift + residual (ReLU); residual NULL: without. */
void layer_affine(
    const layer_norm *n, const void *x, const void *residual, void *y, size_t pixels, dtype t);
/* Of the channels `part`: sums [2, C] = sum g, sum g (x - mean) / deviation, of g = dy where the
 * norm's ReLU let x pass, which is computed again from x. y not NULL: the norm was added to a
 * residual, y is the sum's ReLU; dy becomes g = dy where y > 0. */
void layer_norm_sums(const layer_norm *n, layer_part part, const void *x, const void *y, void *dy,
    size_t pixels, dtype t, double *sums);
/* dx (+)= f0 g + f1 x + f2; factors [3, C]; g as above, without y. */
void layer_norm_gradient(const layer_norm *n, const void *x, const void *dy, void *dx,
    size_t pixels, const float *factors, bool add, dtype t);

/* ---- pools (pooling.c): the rows `part` of y, or of dx ---- */
/* index [out pixels, C]: which of the kernel's positions was the first largest. NULL: not kept. */
void layer_max_pool(const layer_shape *s, layer_part part, const void *x, void *y, uint8_t *index);
void layer_max_pool_gradient(const layer_shape *s, layer_part part, const void *dy,
    const uint8_t *index, void *dx, bool add);
/* Padding counts as zeros (PyTorch's count_include_pad). */
void layer_average_pool(const layer_shape *s, layer_part part, const void *x, void *y);
void layer_average_pool_gradient(
    const layer_shape *s, layer_part part, const void *dy, void *dx, bool add);
/* Whole images. */
void layer_global_pool(const layer_shape *s, const void *x, void *y);
void layer_global_pool_gradient(const layer_shape *s, const void *dy, void *dx, bool add);

/* ---- resize (resize.c): bilinear, align_corners=False; the rows `part` of y, a whole dx ---- */
void layer_resize(const layer_shape *s, layer_part part, const void *x, void *y);
/* work: fp32 [in pixels, C]. */
void layer_resize_gradient(const layer_shape *s, const void *dy, void *dx, bool add, float *work);

#endif
