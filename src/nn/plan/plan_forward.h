/* The forward pass, and parts of it once more for the backward pass. */
#ifndef AUXSEG_NN_PLAN_PLAN_FORWARD_H
#define AUXSEG_NN_PLAN_PLAN_FORWARD_H

#include "src/nn/plan/plan_state.h"

/* Computes again what the backward pass needs of the block that ends with v. */
status plan_run_again(plan *p, value v, int images, const step_context *c);

#endif
