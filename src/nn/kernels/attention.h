/* Attention of one image: softmax(q k^T / sqrt(d)) v of each head, in tiles, so that no matrix of
 * [tokens, tokens] stands anywhere. Not collective. Results do not depend on the team. */
#ifndef AUXSEG_NN_KERNELS_ATTENTION_H
#define AUXSEG_NN_KERNELS_ATTENTION_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct attention attention;

typedef struct attention_shape {
    int tokens, heads, dim; /* dim: channels of a head, a multiple of 16 */
    dtype type;
} attention_shape;

status attention_create(attention **out, onednn *o, const attention_shape *s);
/* NULL-safe. */
void attention_destroy(attention *a);
/* Of each thread. */
size_t attention_scratch(const attention *a);
/* By all threads of a team, which meet inside. qkv [T, 3 C], y [T, C], C = heads dim. */
status attention_run(const attention *a, const team *t, const void *qkv, void *y);

#endif
