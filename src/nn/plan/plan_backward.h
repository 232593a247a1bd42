/* The steps of the backward pass: the nodes between two places where images wait for each other, or
 * where a weight gradient is added up. */
#ifndef AUXSEG_NN_PLAN_PLAN_BACKWARD_H
#define AUXSEG_NN_PLAN_PLAN_BACKWARD_H

#include "src/nn/plan/plan_state.h"

/* Cuts the pass into steps, and makes the slots of weight gradients. PLAN_TRAIN, after the kernels.
 */
status plan_create_backward(plan *p);

#endif
