/* What each node computes and who needs it, for the plan's image. */
#ifndef AUXSEG_NN_PLAN_PLAN_SHAPE_H
#define AUXSEG_NN_PLAN_PLAN_SHAPE_H

#include "src/nn/plan/plan_state.h"

/* Fills in the layers: shapes, whether an output depends on a value, whether it has parameters
 * below it. STATUS_FAILED, with a message, where the image is too small. */
status plan_shapes(plan *p);

#endif
