/* Bytes between two moments. The counter of mpi/traffic.c is that of the process, which holds all
 * simulated ranks: read while some have gone on and others have not, it would say what no step
 * sends. */
#include "mpi/forecast/stages.h"
#include "mpi/traffic.h"

/* The first barrier waits for what others still send, the second keeps them from sending more. */
double simulated_sent(const comm *c) {
    comm_barrier(c);
    double sent = traffic_sent();
    comm_barrier(c);
    return sent;
}
