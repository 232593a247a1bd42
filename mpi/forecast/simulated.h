/* What stands for computing in a simulation: its time, without its work. The exchanges around it
 * (mpi/) are the program's own. Not collective. */
#ifndef AUXSEG_MPI_FORECAST_SIMULATED_H
#define AUXSEG_MPI_FORECAST_SIMULATED_H

#include "mpi/forecast/profile.h"
#include "src/nn/graph/exact_gradient.h"

/* Of this process, for all of its simulated ranks: set by the first, the same on all. */
typedef struct simulated {
    profile p;
    int threads;      /* of a rank */
    double rows;      /* of a rank: k-means */
    double poll;      /* seconds between two polls of a backward pass */
    double allocated; /* bytes that all ranks hold, and the most of it */
    double most;
} simulated;
extern simulated simulation;

/* Time passes on this rank's cores. */
void simulated_compute(double seconds);

/* The network's parameters as the profile has them: counts and places alone. */
parameters *simulated_parameters(const profile *p);

#endif
