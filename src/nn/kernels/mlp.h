/* The second half of a transformer's block: y += scale (W2 gelu(W1 x + b1) + b2), of some tokens at
 * a time, so that what is between the two products, four times as wide as the tokens, stays in the
 * caches. Not collective. Results do not depend on the team. */
#ifndef AUXSEG_NN_KERNELS_MLP_H
#define AUXSEG_NN_KERNELS_MLP_H

#include "src/nn/kernels/onednn.h"
#include "src/nn/kernels/team.h"

typedef struct mlp mlp;

typedef struct mlp_shape {
    int tokens, channels, hidden; /* channels and hidden: multiples of 16 */
    dtype type;
} mlp_shape;

/* fp32 [hidden, C], [hidden], [C, hidden], [C]; scale [C], or NULL: 1. */
typedef struct mlp_weights {
    const float *weight1, *bias1, *weight2, *bias2, *scale;
} mlp_weights;

status mlp_create(mlp **out, onednn *o, const mlp_shape *s);
/* NULL-safe. */
void mlp_destroy(mlp *m);
size_t mlp_bytes(const mlp *m);
/* Of each thread. */
size_t mlp_scratch(const mlp *m);
/* By one thread, `thread` of the engine's. */
status mlp_pack(mlp *m, int thread, const mlp_weights *w);
/* By all threads of a team. x, y [tokens, C]. */
status mlp_run(const mlp *m, const team *t, const void *x, void *y);

#endif
