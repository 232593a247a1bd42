/* How much this rank has handed to MPI: the payload of its sends, reductions and gathers, and of
 * broadcasts where it is their root, before algorithms make messages of it, the library's or our
 * own (mpi/exact_sum.h): a sum counts once, as long as it is. What is sent depends on it, on the
 * number of ranks and on the network; what it was given depends on the program alone. Not
 * collective; of the thread that calls MPI. */
#ifndef AUXSEG_MPI_TRAFFIC_H
#define AUXSEG_MPI_TRAFFIC_H

#include <stddef.h>

/* Beside each call of MPI that moves data. */
void traffic_add(size_t bytes);
/* Bytes since the process began. */
double traffic_sent(void);

#endif
