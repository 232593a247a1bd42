/* Running statistics of the norms in a training: kept of each wave, moved once a step over all
 * units of the global batch. What crosses ranks is 12 bytes a figure, whatever the number of units.
 */
#ifndef AUXSEG_APP_TRAINING_NORM_STATISTICS_H
#define AUXSEG_APP_TRAINING_NORM_STATISTICS_H

#include "mpi/comm.h"
#include "src/nn/plan/plan.h"

typedef struct norm_statistics {
    double *own;      /* [this rank's units, width]: their moments */
    moment_sums sums; /* of the global batch */
} norm_statistics;

/* Where a rank's units stand among those of the global batch. */
typedef struct units_place {
    int first, local, all;
} units_place;

/* For as many units of this rank, at least one. Not collective. */
status norm_statistics_create(norm_statistics *out, const plan *p, int local);
/* Of one that was made, or is zero. */
void norm_statistics_destroy(norm_statistics *s);
/* Keeps the moments of the last forward pass, whose units begin with this rank's unit `unit`. Not
 * collective. */
void norm_statistics_keep(norm_statistics *s, const plan *p, int unit);
/* Moves the plan's running statistics by what was kept: the same bits for any dealing of the units.
 * Collective. c NULL: this rank has kept all of them. */
void norm_statistics_commit(norm_statistics *s, plan *p, const comm *c, units_place u);

#endif
