/* The command that measures single parts of the program: the figures that are compared with other
 * programs. */
#ifndef AUXSEG_APP_TOOLS_BENCH_H
#define AUXSEG_APP_TOOLS_BENCH_H

#include "mpi/comm.h"

/* argv [argc]: what to measure, and its options. Collective. */
status command_bench(const comm *c, int argc, char **argv);

#endif
