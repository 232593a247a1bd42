#include "mpi/phases.h"

void phases_combine(const comm *c, const timers *mine, phases *out) {
    struct {
        double seconds;
        int rank;
    } local[PHASE_COUNT], slowest[PHASE_COUNT];
    double least[PHASE_COUNT], sum[PHASE_COUNT];
    int ranks = comm_size(c);
    for (int p = 0; p < PHASE_COUNT; p++) {
        local[p].seconds = least[p] = sum[p] = mine->seconds[p];
        local[p].rank = comm_rank(c);
        slowest[p] = local[p];
    }
    if (c && ranks > 1) {
        /* A tie goes to the lower rank: MPI_MAXLOC. */
        MPI_Allreduce(local, slowest, PHASE_COUNT, MPI_DOUBLE_INT, MPI_MAXLOC, c->mpi);
        MPI_Allreduce(MPI_IN_PLACE, sum, PHASE_COUNT, MPI_DOUBLE, MPI_SUM, c->mpi);
        comm_min_f64(c, least, PHASE_COUNT);
    }
    for (int p = 0; p < PHASE_COUNT; p++)
        out->phase[p] =
            (phase_spread){least[p], sum[p] / ranks, slowest[p].seconds, slowest[p].rank};
}
