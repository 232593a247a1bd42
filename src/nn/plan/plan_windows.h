/* Operators over neighbouring pixels but convolutions: pools and resizing. As rows of
 * plan_operators.c. */
#ifndef AUXSEG_NN_PLAN_PLAN_WINDOWS_H
#define AUXSEG_NN_PLAN_PLAN_WINDOWS_H

#include "src/nn/plan/plan_operators.h"

/* Keeps which position of its window was the largest. */
status max_pool_forward(plan *p, value v, const turn *r);
status max_pool_backward(plan *p, value v, const turn *r);
status average_pool_forward(plan *p, value v, const turn *r);
status average_pool_backward(plan *p, value v, const turn *r);
status global_pool_forward(plan *p, value v, const turn *r);
status global_pool_backward(plan *p, value v, const turn *r);
status resize_forward(plan *p, value v, const turn *r);
status resize_backward(plan *p, value v, const turn *r);

#endif
