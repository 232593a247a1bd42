/* Convolutions: the kernels of their three passes, and what a thread needs to run them. A row of
 * plan_operators.c. */
#ifndef AUXSEG_NN_PLAN_PLAN_CONV_H
#define AUXSEG_NN_PLAN_PLAN_CONV_H

#include "src/nn/plan/plan_operators.h"

/* Creates the kernels of all convolutions: their algorithms are chosen here. */
status plan_create_kernels(plan *p);
void plan_destroy_kernels(layer *l);
/* Memory of each thread, after the kernels. */
status plan_create_workers(plan *p);

status conv_forward(plan *p, value v, const turn *r);
/* The image's weight gradient to its slot, and the gradient of the input. */
status conv_backward(plan *p, value v, const turn *r);

#endif
