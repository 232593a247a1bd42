/* How images are dealt to threads: whole images first; those that are too few for all threads by
 * teams (kernels/team.h). */
#ifndef AUXSEG_NN_PLAN_PLAN_TEAM_H
#define AUXSEG_NN_PLAN_PLAN_TEAM_H

#include "src/nn/plan/plan_state.h"

/* The most threads that compute an image together. */
int plan_largest_team(const plan *p);
/* What a team, mostly one thread, does with an image; all of its threads go the same way whatever
 * fails, for they meet. */
typedef status plan_work(plan *p, int image, const team *t, const void *job, const step_context *c);
/* Images first .. end - 1 by all threads of a parallel region, which meet at the end. Polls
 * communication between them. */
status plan_each_image(
    plan *p, int first, int end, plan_work *work, const void *job, const step_context *c);

#endif
