/* Weights of convolutions in the layouts that their kernels read: when they are packed, and in
 * which memory. Where a layer runs over all images before the next one does, transformed weights
 * are needed for as long as that takes: they are packed late, and take each other's place. */
#ifndef AUXSEG_NN_PLAN_PLAN_PACK_H
#define AUXSEG_NN_PLAN_PLAN_PACK_H

#include "src/nn/plan/plan_state.h"

/* Memory of packed weights that do not stand in the kernels' own; after the kernels. */
status plan_create_packed(plan *p);
/* Those of nodes begin .. end - 1 for the forward pass, or of one node for the backward pass, where
 * they are packed late. By all threads of a parallel region, which meet at the end. */
status plan_pack_forward(plan *p, value begin, value end);
status plan_pack_backward(plan *p, value v);

#endif
