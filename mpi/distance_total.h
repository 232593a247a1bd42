/* The sum of the squared distances of all ranks' rows. */
#ifndef AUXSEG_MPI_DISTANCE_TOTAL_H
#define AUXSEG_MPI_DISTANCE_TOTAL_H

#include "mpi/comm.h"

/* distance [n] of this rank's rows, >= 0 and finite; rows: of all ranks. Exact but for bits that
 * float64 cannot hold beside the largest sum possible: the same for any dealing of rows to ranks.
 * Collective. */
double distance_total(const comm *c, const float *distance, size_t n, int64_t rows);

#endif
