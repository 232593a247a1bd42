/* The score stage: how good the auxiliary labels are, without training (src/label/score.h). */
#ifndef AUXSEG_APP_CLUSTERS_SCORE_H
#define AUXSEG_APP_CLUSTERS_SCORE_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. Skipped if done. */
status score_labels(const comm *c, const settings *s, int round);

/* The command: round 1. Collective. */
status command_score(const comm *c, const settings *s);

#endif
