/* Slots: weight gradients of a convolution, one an image, which are added in image order within a
 * unit before the unit's gradient goes into the exact sum (graph/exact_gradient.h). Threads fill
 * slots in any order; the order of the fp32 additions does not depend on it. */
#ifndef AUXSEG_NN_PLAN_PLAN_SLOTS_H
#define AUXSEG_NN_PLAN_PLAN_SLOTS_H

#include "src/nn/plan/plan_state.h"

/* As many as keep all threads busy. After the kernels. */
status plan_create_slots(plan *p);
static inline float *plan_slot(const plan *p, int slot) {
    return p->slot + (size_t)slot * p->slot_floats;
}
/* Of convolution v: adds the images first .. end - 1 of `images`, which stand in the slots from 0
 * on, and gives each unit that is complete with them to `total`. By all threads of a parallel
 * region. */
status plan_add_slots(plan *p, value v, int first, int end, int images, gradient *total);
/* A unit's gradient `packed` of l's weights, and behind it of its bias, to `total`. By all threads,
 * which meet before and after. */
status plan_finish_unit(plan *p, const layer *l, const float *packed, gradient *total);

#endif
