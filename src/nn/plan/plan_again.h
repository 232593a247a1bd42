/* Values that the backward pass computes again instead of keeping them. */
#ifndef AUXSEG_NN_PLAN_PLAN_AGAIN_H
#define AUXSEG_NN_PLAN_PLAN_AGAIN_H

#include "src/nn/plan/plan_state.h"

/* Sets again_at and block of the layers, once it is known where gradients flow. */
void plan_choose_again(plan *p);
/* Whether v is computed again by itself, for a convolution. */
bool plan_again_alone(const plan *p, value v);

#endif
