/* oneDNN's convolution of one image and product of matrices, each by one thread, behind one
 * interface for its versions 2 and 3.
 * Not collective. Activations are NHWC; weights are packed in a layout of oneDNN's choice.
 * A kernel is created for one thread (onednn_conv.c says why) and may run on several threads at
 * once, each on an image of its own. */
#ifndef AUXSEG_NN_KERNELS_ONEDNN_H
#define AUXSEG_NN_KERNELS_ONEDNN_H

#include "src/base/dtype.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct onednn onednn;
typedef struct onednn_kernel onednn_kernel;

typedef struct conv_shape {
    int height, width, channels; /* of the source */
    int out_height, out_width, out_channels;
    int kernel, stride, dilation; /* dilation 1 is dense */
    int padding;                  /* at all four sides */
    dtype type;
    int above, below; /* more padding above and below, of a part (convolution_parts.h) */
} conv_shape;

/* Maps of several images, one each: inputs, and gradients of outputs. */
typedef struct conv_images {
    int count;
    const void *const *x, *const *dy;
} conv_images;

/* What a forward kernel does to each output besides: y = relu(conv(x) + bias + y).
 * transposed: onednn_pack is given [I, O, k, k]. */
typedef struct conv_fusion {
    bool bias, sum, relu, transposed;
} conv_fusion;

/* Kernels run on threads 0 .. threads - 1. */
status onednn_create(onednn **out, int threads);
/* After its kernels. NULL-safe. */
void onednn_destroy(onednn *o);

/* STATUS_FAILED, with a message, when oneDNN refuses. */
status onednn_forward(onednn_kernel **out, onednn *o, const conv_shape *c, conv_fusion f);
status onednn_backward_data(onednn_kernel **out, onednn *o, const conv_shape *c);
status onednn_backward_weights(onednn_kernel **out, onednn *o, const conv_shape *c);
/* The same as a whole kernel, or its backward-weights pass, for a part c of the rows, or of the
 * outputs' channels: it borrows the packed weights of `whole`, which it must not outlive. False
 * where oneDNN would take another implementation for it. */
bool onednn_part(onednn_kernel **out, const onednn_kernel *whole, const conv_shape *c);
/* NULL-safe. */
void onednn_kernel_destroy(onednn_kernel *k);

bool onednn_has_bias(const onednn_kernel *k);
/* Scratch memory of one execution; memory that the kernel holds. */
size_t onednn_scratch(const onednn_kernel *k);
size_t onednn_bytes(const onednn_kernel *k);
/* Floats of a weight gradient in oneDNN's layout. */
size_t onednn_gradient_count(const onednn_kernel *k);

/* weight fp32 [O, I, k, k], or as the fusion says. By one thread at a time for each kernel. */
status onednn_pack(onednn_kernel *k, int thread, const float *weight);
/* The inverse, for a weight gradient in oneDNN's layout. By one thread at a time. */
status onednn_unpack(onednn_kernel *k, int thread, const float *packed, float *weight);

/* Forward: x the source, y the destination, bias fp32 [O] or NULL.
 * Backward data: x the destination's gradient, y the source's, written. */
status onednn_run(
    const onednn_kernel *k, int thread, const void *x, void *y, const float *bias, void *scratch);
/* packed: written, fp32, onednn_gradient_count elements. */
status onednn_run_weights(const onednn_kernel *k, int thread, const void *x, const void *dy,
    float *packed, void *scratch);

/* ---- products ---- */

/* c [batch, rows, columns] = a [batch, rows, inner] b [batch, inner, columns], c in fp32; add: c
 * plus that; transposed: a is [batch, inner, rows]. */
typedef struct product_shape {
    int64_t batch, rows, inner, columns;
    bool transposed, add;
    dtype type; /* of a and b */
} product_shape;

typedef struct onednn_product onednn_product;

status onednn_product_create(onednn_product **out, onednn *o, const product_shape *q);
/* NULL-safe. */
void onednn_product_destroy(onednn_product *k);
size_t onednn_product_scratch(const onednn_product *k);
status onednn_product_run(
    const onednn_product *k, int thread, const void *a, const void *b, float *c, void *scratch);

/* Primitives created by this process: a step must create none. */
int64_t onednn_primitives(void);
/* Whether oneDNN computes in this type on this processor with instructions made for it. */
bool onednn_supports(dtype t);
/* Whether it has AVX-512 here. */
bool onednn_is_wide(void);
/* Whether it takes AMX's tiles for bf16 here. */
bool onednn_uses_amx(void);
/* Version and instruction set. */
void onednn_describe(char *text, size_t size);

#endif
