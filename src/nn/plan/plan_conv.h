/* Convolutions: the kernels of their three passes, and what a thread needs to run them. A row of
 * plan_operators.c. */
#ifndef AUXSEG_NN_PLAN_PLAN_CONV_H
#define AUXSEG_NN_PLAN_PLAN_CONV_H

#include "src/nn/plan/plan_operators.h"

/* Creates the kernels of all convolutions: their algorithms are chosen here. */
status plan_create_kernels(plan *p);
void plan_destroy_kernels(layer *l);
/* Whether v's weight gradient is computed of a unit's images at once: once it is known where
 * gradients flow. */
bool plan_takes_units(const plan *p, value v);
/* Memory of each thread, after the kernels. */
status plan_create_workers(plan *p);

status conv_forward(plan *p, value v, const turn *r);
/* The image's weight gradient to its slot, unless units take it, and the gradient of the input. */
status conv_backward(plan *p, value v, const turn *r);

#endif
