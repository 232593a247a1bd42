/* The phase timers of a stage, combined over ranks: who waits for whom. */
#ifndef AUXSEG_MPI_PHASES_H
#define AUXSEG_MPI_PHASES_H

#include "mpi/comm.h"
#include "src/base/timer.h"

typedef struct phase_spread {
    double min, mean, max; /* seconds, over ranks */
    int slowest;           /* lowest rank that had the maximum */
} phase_spread;

typedef struct phases {
    phase_spread phase[PHASE_COUNT];
} phases;

/* Spread of one figure over the ranks, the same on every rank. Cannot fail. Collective. */
phase_spread phases_spread(const comm *c, double mine);
/* Spread of every phase over the ranks, the same on every rank. Cannot fail. Collective. */
void phases_combine(const comm *c, const timers *mine, phases *out);

#endif
