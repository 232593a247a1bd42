/* What the program that starts the ranks says of this one. */
#ifndef AUXSEG_BASE_LAUNCHER_H
#define AUXSEG_BASE_LAUNCHER_H

#include <stddef.h>
#include <stdlib.h>

/* Where Open MPI's, MPICH's and Slurm's launchers say a process's rank. */
#define LAUNCHER_RANKS                                                                             \
    { "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID" }

/* This process's rank as a text, from the environment, before MPI knows it; NULL where it was
 * started without a launcher, or by another than Open MPI's, MPICH's and Slurm's. */
static inline const char *launcher_rank(void) {
    static const char *const names[] = LAUNCHER_RANKS;
    const char *rank = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !rank; i++) rank = getenv(names[i]);
    return rank;
}

#endif
