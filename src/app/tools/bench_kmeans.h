/* The benchmark of k-means: iterations on a matrix from a file. */
#ifndef AUXSEG_APP_TOOLS_BENCH_KMEANS_H
#define AUXSEG_APP_TOOLS_BENCH_KMEANS_H

#include "mpi/comm.h"

/* `auxseg bench kmeans`. Prints one line of JSON on rank 0. Collective. */
status bench_kmeans(const comm *c, int argc, char **argv);

#endif
