/* How many rows of all ranks differ. */
#ifndef AUXSEG_MPI_DISTINCT_ROWS_H
#define AUXSEG_MPI_DISTINCT_ROWS_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* *count: rows that differ in their bits, at most `most`: counting ends there, so that it is cheap
 * where there are many; where there are few it is one pass over the rows. By 64-bit hashes. The
 * same for any number of ranks. Collective. */
status distinct_rows(const comm *c, const features *x, int64_t most, int64_t *count);

#endif
