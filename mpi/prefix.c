/* Where a rank's items begin among those of all: MPI's exclusive scan of integers, with the first
 * rank's zeros, which MPI leaves undefined. */
#include "mpi/prefix.h"

#include "mpi/traffic.h"
#include "src/base/pulse.h"

#include <string.h>

void prefix_sum_i64(const comm *c, const int64_t *x, int64_t *before, int n) {
    if (c && c->size > 1) {
        traffic_add((size_t)n * sizeof *x);
        pulse_wait();
        MPI_Exscan(x, before, n, MPI_INT64_T, MPI_SUM, c->mpi);
        pulse_go();
    }
    /* MPI leaves the first rank's result undefined. */
    if (comm_root(c)) memset(before, 0, (size_t)n * sizeof *before);
}
