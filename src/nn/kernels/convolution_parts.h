/* A convolution of one image by oneDNN, cut into parts that a team computes: rows of what it
 * writes, or blocks of output channels of a weight gradient. Not collective.
 * The parts give the bits of the whole, or there are none: oneDNN orders sums as it likes, so that
 * they are compared, on random numbers, when they are created. */
#ifndef AUXSEG_NN_KERNELS_CONVOLUTION_PARTS_H
#define AUXSEG_NN_KERNELS_CONVOLUTION_PARTS_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct conv_parts conv_parts;

typedef enum parts_of { ROWS_FORWARD, ROWS_BACKWARD_DATA, CHANNELS_OF_WEIGHTS } parts_of;

/* At most `parts` parts of `whole`, which is of shape c, is borrowed, and is packed anew for the
 * comparison. *out is NULL, and the
 * status OK, where there are none. */
status conv_parts_create(
    conv_parts **out, onednn_kernel *whole, const conv_shape *c, parts_of what, int parts);
/* NULL-safe. */
void conv_parts_destroy(conv_parts *p);
/* Scratch memory of a thread. */
size_t conv_parts_scratch(const conv_parts *p);

/* As onednn_run and onednn_run_weights, by all threads of a team, each some parts. */
status conv_parts_run(
    const conv_parts *p, const team *t, const void *x, void *y, const float *bias, void *scratch);
status conv_parts_run_weights(const conv_parts *p, const team *t, const void *x, const void *dy,
    float *packed, void *scratch);

#endif
