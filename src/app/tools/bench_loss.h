/* The benchmark of the contrastive loss. */
#ifndef AUXSEG_APP_TOOLS_BENCH_LOSS_H
#define AUXSEG_APP_TOOLS_BENCH_LOSS_H

#include "mpi/comm.h"

/* `auxseg bench loss`: value and gradient over a pool that every rank has a share of. Prints one
 * line of JSON on rank 0. Collective. */
status bench_loss(const comm *c, int argc, char **argv);

#endif
