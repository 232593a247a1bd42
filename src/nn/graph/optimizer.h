/* Optimisers of the training stages.
 *
 * SGD with momentum, PyTorch's formula: d = g + decay * w; m = momentum * m + d; w -= lr * m.
 *
 * LARS (You, Gitman, Ginsburg 2017, arXiv:1708.03888, algorithm 1): for each tensor
 *   local = trust * |w| / (|g| + decay * |w|); m = momentum * m + lr * local * (g + decay * w);
 *   w -= m
 * with local = 1 where |w| or the denominator is zero, and for norms and biases, which neither
 * adapt nor decay (Chen et al. 2020, SimCLR; Grill et al. 2020, BYOL).
 *
 * AdamW (Loshchilov, Hutter 2019, arXiv:1711.05101), PyTorch's formula: w *= 1 - lr * decay;
 *   m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
 *   w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon), t = step + 1.
 *
 * g is the gradient times min(1, clip / (|all g| + 1e-6)), as PyTorch's clip_grad_norm_; clip 0:
 * as it is. Not collective: every rank does the same on the same gradient. Norms are summed over
 * fixed blocks in one order, an element's arithmetic has one order: the same bits for any number of
 * threads and ranks. */
#ifndef AUXSEG_NN_GRAPH_OPTIMIZER_H
#define AUXSEG_NN_GRAPH_OPTIMIZER_H

#include "src/nn/graph/exact_gradient.h"

typedef enum optimizer_kind { OPTIMIZER_SGD, OPTIMIZER_LARS, OPTIMIZER_ADAMW } optimizer_kind;

typedef struct optimizer_options {
    optimizer_kind kind;
    double decay;                 /* weight decay: of items with `decay` only */
    double clip;                  /* largest norm of the gradient; 0: any */
    double momentum;              /* SGD and LARS */
    double trust;                 /* LARS */
    double beta1, beta2, epsilon; /* AdamW */
} optimizer_options;

enum { OPTIMIZER_STATES = 2 };

typedef struct optimizer {
    optimizer_options o;
    float *state[OPTIMIZER_STATES]; /* [count] each, owned; NULL past `states` */
    int states;
    parameter_blocks blocks;
    double *part;   /* [blocks], of `square`; LARS alone */
    double *square; /* [trainable], sums of the weights' squares; LARS alone */
} optimizer;

/* Its state is zero. */
status optimizer_create(optimizer *o, const parameters *p, const optimizer_options *options);
/* NULL-safe, and safe on a zeroed one and after a failed create. */
void optimizer_destroy(optimizer *o);

/* One step on a finished gradient. True if all weights and states are finite afterwards. rate [2]:
 * learning rate of GROUP_BACKBONE and GROUP_HEAD. step: from 0, as AdamW's t is counted. p: those
 * of optimizer_create. */
bool optimizer_step(
    optimizer *o, parameters *p, const gradient *g, const double *rate, int64_t step);

/* "sgd" | "lars" | "adamw". */
const char *optimizer_name(optimizer_kind k);
/* What a checkpoint calls state[i]: "optimizer.adamw.mean". */
const char *optimizer_state_name(const optimizer *o, int i);
/* Memory of the state. */
size_t optimizer_bytes(const optimizer *o, const parameters *p);

#endif
