/* One pass of a convolution of one image (a weights' gradient also of several), by the algorithm
 * that costs least for its shape: oneDNN's direct one, Winograd's minimal filtering, or products
 * tap by tap. The choice depends on the shape and the arithmetic alone, so results are the same
 * bits for any number of threads and ranks. Not collective. Teams of threads (team.h) may run at
 * once, each on an image of its own. */
#ifndef AUXSEG_NN_KERNELS_CONVOLUTION_H
#define AUXSEG_NN_KERNELS_CONVOLUTION_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct convolution convolution;

typedef enum conv_pass { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS } conv_pass;

typedef struct conv_choice {
    bool direct;    /* oneDNN's alone */
    bool fp32;      /* the source is in fp32 whatever c->type is, and the arithmetic, too: the image
                       in bf16 would lose more than all that follows; not CONV_BACKWARD_DATA,
                       not with f.sum */
    dtype products; /* arithmetic of what is not oneDNN's direct convolution */
    bool tiles;     /* products in bf16 are by AMX's tiles: what surrounds them costs more than they
                       do, and Winograd's transforms more than it saves */
    bool narrow;    /* oneDNN is below AVX-512: its direct kernels do without strong dilation */
    int team;       /* most threads of a team */
    int unit;       /* CONV_BACKWARD_WEIGHTS: images whose gradients are added in fp32; else 0 */
    int threads;    /* that share out the pieces of a unit */
} conv_choice;

/* Whether the weights' gradients of a unit's images are added as they are computed, which saves
 * writing and reading each of them, by convolution_run_unit; else convolution_run_weights is for
 * one image. Known before the kernel is made; not of the threads. */
bool convolution_takes_units(const conv_shape *c, conv_choice choice);

/* c: the layer's own shape, whatever the pass. f: bias and relu of CONV_FORWARD; sum: the result is
 * added to what stands there, see convolution_adds. */
status convolution_create(convolution **out, onednn *o, const conv_shape *c, conv_pass pass,
    conv_fusion f, conv_choice choice);
/* NULL-safe. */
void convolution_destroy(convolution *k);

/* Whether it adds where f.sum asks for it: oneDNN's own backward-data kernels do not. */
bool convolution_adds(const convolution *k);
/* "direct", "winograd 4", "taps", ...: text is written. */
void convolution_describe(const convolution *k, char *text, size_t size);
/* Scratch memory of each thread of an execution; memory that is held; floats that packing a weight
 * needs. */
size_t convolution_scratch(const convolution *k);
size_t convolution_bytes(const convolution *k);
size_t convolution_work(const convolution *k);
/* Floats of a weight gradient in the algorithm's layout. */
size_t convolution_gradient_count(const convolution *k);

/* Bytes of packed weights that stand in memory of the caller's, borrowed; 0: in the kernel's own.
 */
size_t convolution_packed_bytes(const convolution *k);
void convolution_place(convolution *k, void *packed);

/* weight fp32 [O, I, k, k]; work: convolution_work floats of the thread. Part `thread` of `threads`
 * parts. */
status convolution_pack(convolution *k, int thread, int threads, const float *weight, float *work);
/* A weight gradient in the algorithm's layout to [O, I, k, k]; by `threads` threads, each its part
 * of the elements. */
status convolution_unpack(
    convolution *k, int thread, int threads, const float *packed, float *weight);

/* By all threads of a team, whose memory is used until they meet again.
 * Forward: x the source, y the destination, bias fp32 [O] or NULL.
 * Backward data: x the destination's gradient, y the source's. */
status convolution_run(
    const convolution *k, const team *t, const void *x, void *y, const float *bias);
/* The sum over a unit's images, in their order, in pieces: each by one thread, `alone`, in any
 * order. packed: the piece's elements are written. */
int convolution_unit_pieces(const convolution *k);
status convolution_run_unit(
    const convolution *k, const team *alone, int piece, const conv_images *unit, float *packed);

/* packed: written, convolution_gradient_count floats. */
status convolution_run_weights(
    const convolution *k, const team *t, const void *x, const void *dy, float *packed);

#endif
