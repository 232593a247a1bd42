/* Which rank computes where. */
#ifndef AUXSEG_APP_BINDING_H
#define AUXSEG_APP_BINDING_H

#include "mpi/comm.h"

/* Prints ranks x threads, and host and cores of every rank; warns where a host's ranks have more
 * threads than cores. Collective. */
status binding_print(const comm *c, int threads);

#endif
