/* Norm layers: statistics of each image, then of the units that are normalised together, then the
 * map itself; backward the same way. A row of plan_operators.c, and what the passes do where images
 * wait for each other. Statistics are float64, combined in image order: the same bits however
 * images are dealt. */
#ifndef AUXSEG_NN_PLAN_PLAN_NORM_H
#define AUXSEG_NN_PLAN_PLAN_NORM_H

#include "src/nn/plan/plan_operators.h"

/* STATUS_USAGE if a norm of a step would have one value a channel to take statistics of: said of
 * the first. The plan has its shapes. */
status plan_check_norms(const plan *p);
/* Memory of the statistics of all norms. */
status plan_create_norms(plan *p);
void plan_destroy_norm(layer *l);
/* Bytes of statistics that an image in PLAN_TRAIN adds, at most: where it is a unit. */
size_t plan_norm_bytes(const plan *p);

/* Units of statistics: groups; or one, the whole batch or the running statistics. */
int norm_units(const plan *p, int images);
/* Whether v is a norm that is run by itself: not one folded into a convolution. */
bool plan_is_norm(const plan *p, value v);
/* Whether the sum v passes its gradient on as its norm, the node before, takes its own sums. */
bool norm_takes_gradient(const plan *p, value v);

/* ---- an image, by all threads of a team ---- */

/* Its statistics. */
void norm_measure(plan *p, value v, int image, const team *t);
status norm_forward(plan *p, value v, const turn *r);
/* The norm that is fused into the sum v, and the sum. Sums are never computed again. */
void norm_apply_sum(plan *p, value v, const turn *r);
/* Its sums for the gradient. */
void norm_sum_image(plan *p, value v, int image, const team *t);
/* The same of the norm that is fused into the sum v: the gradient of v becomes that of what its
 * ReLU took. */
void norm_sum_summed(plan *p, value v, int image, const team *t);
status norm_backward(plan *p, value v, const turn *r);

/* ---- all images, when each has been measured or summed; by the main thread ----
 * Collective under NORM_SYNC. */

/* Statistics of the units, and what they make of the map. */
void norm_combine(plan *p, value v, int images, const step_context *c);
/* The gradients of weight and bias of each unit, added to `total`, and of the map. */
void norm_combine_sums(plan *p, value v, int images, const step_context *c, gradient *total);

#endif
