/* Where gradients flow, and one arena a lane, in which every value and gradient has a place for as
 * long as it is needed. */
#ifndef AUXSEG_NN_PLAN_PLAN_LAYOUT_H
#define AUXSEG_NN_PLAN_PLAN_LAYOUT_H

#include "src/nn/plan/plan_state.h"

/* Lays out the arena; takes no memory for it. After the nodes have been fused. */
status plan_layout(plan *p);
/* The arena, inputs and outputs as they are laid out. */
status plan_create_maps(plan *p);
/* What an image in PLAN_TRAIN takes of them. */
size_t plan_map_bytes(const plan *p);

#endif
