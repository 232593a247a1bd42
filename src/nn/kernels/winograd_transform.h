/* The transforms of Winograd's minimal filtering F(m x m, 3 x 3), m = 2 or 4 (Lavin & Gray 2016,
 * "Fast Algorithms for Convolutional Neural Networks", section 4; with better points for m = 4): of
 * tiles of activations, and of weights. Not collective. A tile is m x m outputs, computed from
 * alpha x alpha inputs, alpha = m + 2, whose neighbours stand `dilation` pixels from each other: a
 * dilated convolution is one of each of dilation^2 interleaved maps.
 *
 *   Y = A^T [(G g G^T) . (B^T d B)] A, summed over channels inside the brackets:
 *   winograd_gather: V = B^T d B         winograd_scatter: Y from M
 *   winograd_expand: A dY A^T            winograd_weights: U = G g G^T
 *   winograd_collect: dg = G^T dU G      the adjoints give the weights' gradient
 *
 * Position p = 0 .. alpha^2 - 1 of a tile is the slowest index of V, M and U: each is a stack of
 * matrices. Channels are multiples of 16. Arithmetic in fp32. */
#ifndef AUXSEG_NN_KERNELS_WINOGRAD_TRANSFORM_H
#define AUXSEG_NN_KERNELS_WINOGRAD_TRANSFORM_H

#include "src/base/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WINOGRAD_ALPHA = 6, WINOGRAD_PANEL = 32 };

/* The tiles of a map. */
typedef struct winograd_map {
    int m, alpha, dilation, height, width;
    int tiles;
    int32_t (*origin)[2]; /* [tiles]: row and column of a tile's first output */
} winograd_map;

/* Where element (p, row, column) of a stack of matrices of `type` stands: matrices by rows, or by
 * panels of PANEL columns. */
typedef struct winograd_stack {
    void *data;
    size_t plane, row, panel; /* elements between positions, rows, panels */
    dtype type;
} winograd_stack;

/* Tiles first .. first + count - 1 of a map, the rows 0 .. count - 1 of matrices. */
typedef struct winograd_block {
    const winograd_map *map;
    int first, count;
} winograd_block;

/* An image [height, width, C]; zero [C]: what stands outside. */
typedef struct winograd_image {
    const void *data, *zero;
    int channels;
    dtype type;
} winograd_image;

/* What a convolution does to an output besides: y = relu(Y + bias + y). bias [O], or NULL. */
typedef struct winograd_end {
    const float *bias;
    bool sum, relu;
} winograd_end;

/* Tiles of inputs to rows of v [alpha^2, count, C]. */
void winograd_gather(const winograd_block *b, const winograd_image *x, const winograd_stack *v);
/* Tiles of gradients of outputs, likewise. */
void winograd_expand(const winograd_block *b, const winograd_image *dy, const winograd_stack *v);
/* Rows of m [alpha^2, count, O], fp32, to tiles of y [height, width, O]. */
void winograd_scatter(const winograd_block *b, const winograd_stack *m, const winograd_end *e,
    int channels, dtype t, void *y);

/* w [O, C, 3, 3]; transposed: [C, O, 3, 3], with rows and columns in reverse. */
typedef struct winograd_kernel {
    const float *w;
    int channels, out_channels;
    bool transposed;
} winograd_kernel;
/* Outputs begin .. end - 1, multiples of 16, of u [alpha^2, C, O]. */
void winograd_weights(int m, const winograd_kernel *k, int begin, int end, const winograd_stack *u);
/* dw [9, C, O] from du [alpha^2, C, columns], fp32: some columns, from where dw points to.
 * shape: C, columns, O. add: dw plus that. */
void winograd_collect(int m, const winograd_stack *du, const size_t shape[3], bool add, float *dw);

#endif
