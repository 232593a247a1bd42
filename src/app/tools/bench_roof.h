/* The benchmark of the processor itself. */
#ifndef AUXSEG_APP_TOOLS_BENCH_ROOF_H
#define AUXSEG_APP_TOOLS_BENCH_ROOF_H

#include "mpi/comm.h"

/* `auxseg bench roof`: what all threads of all ranks compute and read at once. Prints one line of
 * JSON on rank 0. Collective. */
status bench_roof(const comm *c, int argc, char **argv);

#endif
