/* The benchmarks of a network: features of images, and training steps. */
#ifndef AUXSEG_APP_TOOLS_BENCH_EXTRACT_TRAIN_H
#define AUXSEG_APP_TOOLS_BENCH_EXTRACT_TRAIN_H

#include "mpi/comm.h"

/* `auxseg bench extract`, `auxseg bench train`: every rank has a batch of its own. Each prints one
 * line of JSON on rank 0. Collective. */
status bench_extract(const comm *c, int argc, char **argv);
status bench_train(const comm *c, int argc, char **argv);

#endif
