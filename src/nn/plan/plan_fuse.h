/* Nodes that are computed together in one pass over memory. After plan_shapes. */
#ifndef AUXSEG_NN_PLAN_PLAN_FUSE_H
#define AUXSEG_NN_PLAN_PLAN_FUSE_H

#include "src/nn/plan/plan_state.h"

/* PLAN_INFER: norms into weights, ReLUs and residual sums into convolutions. */
void plan_fuse(plan *p);
/* PLAN_TRAIN: norms without a ReLU into the sums that read them. */
void plan_fuse_sums(plan *p);

#endif
