/* An image to tokens: patches times a matrix, positions, class token and registers. In fp32
 * whatever the tokens are stored as, for the image is. Not collective. */
#ifndef AUXSEG_NN_KERNELS_EMBEDDING_H
#define AUXSEG_NN_KERNELS_EMBEDDING_H

#include "src/base/status.h"
#include "src/nn/kernels/team.h"
#include "src/base/dtype.h"

#include <stdbool.h>

typedef struct embedding embedding;

/* prefix: tokens before those of patches, the class token and registers. */
typedef struct embedding_shape {
    int height, width, patch, channels; /* of the image and a patch, in pixels; of a token */
    int grid, prefix;
    bool class_position, antialias; /* antialias: positions.h */
    dtype type;                     /* of the tokens */
} embedding_shape;

/* Parameters, fp32, in their own layouts: graph.h. registers NULL: none. */
typedef struct embedding_weights {
    const float *first, *registers, *position, *weight, *bias;
} embedding_weights;

status embedding_create(embedding **out, const embedding_shape *s);
/* NULL-safe. */
void embedding_destroy(embedding *e);
size_t embedding_bytes(const embedding *e);
/* Of each thread. */
size_t embedding_scratch(const embedding *e);
/* Lays weights out, resizes positions. */
status embedding_pack(embedding *e, const embedding_weights *w);
/* By all threads of a team. image fp32 [H, W, 3]; y [prefix + patches, C]. */
void embedding_run(const embedding *e, const team *t, const float *image, void *y);

#endif
