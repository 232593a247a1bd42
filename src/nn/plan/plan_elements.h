/* Operators that treat each element, or each pixel's channels, by itself: the image, ReLU, sum,
 * concatenation, dropout. As rows of plan_operators.c. */
#ifndef AUXSEG_NN_PLAN_PLAN_ELEMENTS_H
#define AUXSEG_NN_PLAN_PLAN_ELEMENTS_H

#include "src/nn/plan/plan_operators.h"

/* The caller's image in the type of the maps, where something reads it so. */
status input_forward(plan *p, value v, const turn *r);
status relu_forward(plan *p, value v, const turn *r);
status relu_backward(plan *p, value v, const turn *r);
/* A sum, and its ReLU; its norm, where one is fused into it (plan_fuse.c). */
status add_forward(plan *p, value v, const turn *r);
status add_backward(plan *p, value v, const turn *r);
status concat_forward(plan *p, value v, const turn *r);
status concat_backward(plan *p, value v, const turn *r);
status dropout_forward(plan *p, value v, const turn *r);
status dropout_backward(plan *p, value v, const turn *r);

/* dx (+)= dy, where y > 0 unless y is NULL: the share of this thread, of n elements. */
void pass_elements(
    const plan *p, const turn *r, const void *dy, const void *y, void *dx, size_t n, bool add);

#endif
