/* Weight gradients of a unit's images at once, where the convolution's algorithm can add images as
 * it multiplies (kernels/convolution.h): no image's gradient is ever written to memory and read
 * again. All threads share the units, piece by piece, when their images are at the end of the step.
 */
#ifndef AUXSEG_NN_PLAN_PLAN_UNITS_H
#define AUXSEG_NN_PLAN_PLAN_UNITS_H

#include "src/nn/plan/plan_state.h"

/* Convolution v, of all `images`: each unit's gradient to `total`. By all threads of a parallel
 * region. Polls communication. */
status plan_add_units(plan *p, value v, int images, const step_context *c, gradient *total);

#endif
