/* Minimum, mean and maximum over ranks, and which rank had the maximum: of every phase of a stage
 * at once, or of another figure. */
#include "mpi/phases.h"

#include "src/base/pulse.h"

/* spread [n] of the figures that this rank has in mine [n], n at most PHASE_COUNT. */
static void spread_of(const comm *c, const double *mine, int n, phase_spread *spread) {
    struct {
        double seconds;
        int rank;
    } local[PHASE_COUNT], slowest[PHASE_COUNT];
    double least[PHASE_COUNT], sum[PHASE_COUNT];
    for (int p = 0; p < n; p++) {
        local[p].seconds = least[p] = sum[p] = mine[p];
        local[p].rank = comm_rank(c);
        slowest[p] = local[p];
    }
    if (c && comm_size(c) > 1) {
        /* A tie goes to the lower rank: MPI_MAXLOC. */
        pulse_wait();
        MPI_Allreduce(local, slowest, n, MPI_DOUBLE_INT, MPI_MAXLOC, c->mpi);
        MPI_Allreduce(MPI_IN_PLACE, sum, n, MPI_DOUBLE, MPI_SUM, c->mpi);
        pulse_go();
        comm_min_f64(c, least, (size_t)n);
    }
    for (int p = 0; p < n; p++)
        spread[p] =
            (phase_spread){least[p], sum[p] / comm_size(c), slowest[p].seconds, slowest[p].rank};
}

phase_spread phases_spread(const comm *c, double mine) {
    phase_spread spread;
    spread_of(c, &mine, 1, &spread);
    return spread;
}

void phases_combine(const comm *c, const timers *mine, phases *out) {
    spread_of(c, mine->seconds, PHASE_COUNT, out->phase);
}
