/* Sums over the ranks before this one: where a rank's items lie among all. */
#ifndef AUXSEG_MPI_PREFIX_H
#define AUXSEG_MPI_PREFIX_H

#include "mpi/comm.h"

/* before [n]: the sums of x [n] over the ranks before this one; zeros on the first. Collective. */
void prefix_sum_i64(const comm *c, const int64_t *x, int64_t *before, int n);

#endif
