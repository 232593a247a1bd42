/* The weights' gradient of a convolution of stride 1, one tap of the kernel after the other:
 * dW[tap] = X^T dY over the rectangle of outputs for which the tap lies inside of the map, a
 * product by oneDNN, or our own. What strongly dilated kernels would multiply with padding is left
 * out, and a 1 x 1 kernel is one product. One image by a team at a time, like convolution.h, or the
 * sum over several images piece by piece; not collective. */
#ifndef AUXSEG_NN_KERNELS_TAPS_H
#define AUXSEG_NN_KERNELS_TAPS_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct taps taps;

/* Multiplications per pair of channels; a whole map for every tap: taps_all. */
double taps_count(const conv_shape *c);
double taps_all(const conv_shape *c);

typedef struct taps_options {
    dtype products; /* their arithmetic */
    int most;       /* threads that share the work */
    bool images;    /* several are added */
    bool narrow;    /* products in fp32 are our own: below AVX-512 oneDNN's are slow */
} taps_options;

status taps_create(taps **out, onednn *o, const conv_shape *c, taps_options t);
/* NULL-safe. */
void taps_destroy(taps *t);
size_t taps_scratch(const taps *t);
/* gradient [kernel^2, C, O]: written. */
status taps_run(const taps *t, const team *crew, const void *x, const void *dy, float *gradient);
/* Pieces of it for images added in their order, each by one thread. */
int taps_pieces(const taps *t);
/* gradient [kernel^2, C, O]: the piece's elements are written. */
status taps_run_piece(
    const taps *t, const team *alone, int piece, const conv_images *images, float *gradient);

#endif
