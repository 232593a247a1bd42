/* Norm "sync": statistics and sums over the images of all ranks, the same bits however images are
 * dealt. Collective over the ranks of the step_context's exchange, a norm at a time: two exchanges
 * forward and two backward, of 56 and 24 bytes a channel, whatever the batch. */
#ifndef AUXSEG_NN_PLAN_PLAN_SYNC_H
#define AUXSEG_NN_PLAN_PLAN_SYNC_H

#include "src/nn/plan/plan_state.h"

/* Memory for the widest norm, of so many channels, taken beforehand: a rank that found in a step
 * that it has none would leave the others waiting in the exchange. Nothing under other norms. */
status plan_create_sync(plan *p, size_t widest);
void plan_destroy_sync(plan *p);

/* From each image's moments (l->norm.moments) to mean and sum of squared deviations of all pixels
 * of the global batch, in l->norm.mean and l->norm.unbiased. Returns the batch's images. NaN where
 * a moment was not finite. */
int sync_moments(plan *p, layer *l, int images, const step_context *c);
/* From each image's sums (l->norm.sums) to those of the batch, in l->norm.total. */
int sync_sums(plan *p, layer *l, int images, const step_context *c);

#endif
