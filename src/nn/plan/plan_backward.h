/* The steps of the backward pass: the nodes between two places where images wait for each other, or
 * where a weight gradient is added up. */
#ifndef AUXSEG_NN_PLAN_PLAN_BACKWARD_H
#define AUXSEG_NN_PLAN_PLAN_BACKWARD_H

#include "src/nn/plan/plan_state.h"

/* Cuts the pass into steps, and makes the slots of weight gradients. PLAN_TRAIN, after the kernels.
 */
status plan_create_backward(plan *p);
/* Whether a step that has come down to v ends with it; has_conv: a convolution is among its nodes.
 */
bool plan_step_ends(const plan *p, value v, bool has_conv);

#endif
