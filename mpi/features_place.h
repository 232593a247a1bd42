/* Where a rank's rows lie among those of all ranks. */
#ifndef AUXSEG_MPI_FEATURES_PLACE_H
#define AUXSEG_MPI_FEATURES_PLACE_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* Sets x->before and x->total from every rank's x->n. Whoever makes rows on all ranks calls it
 * once; what is read from a file has been placed. Collective. */
void features_place(const comm *c, features *x);

#endif
