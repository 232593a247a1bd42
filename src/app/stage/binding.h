/* Which rank computes where. */
#ifndef AUXSEG_APP_STAGE_BINDING_H
#define AUXSEG_APP_STAGE_BINDING_H

#include "io/files/run_record.h"
#include "mpi/comm.h"

#include <sched.h>

/* Prints ranks x threads, and host and cores of every rank; warns where a host's ranks have more
 * threads than cores. Collective. */
status binding_print(const comm *c, int threads);
/* Nodes, ranks and threads for run.json: out->hosts is *hosts, owned by the caller (memory_free),
 * on rank 0, NULL on the others. Collective. */
status binding_place(const comm *c, int threads, run_place *out, char **hosts);
/* The cores that this rank may use, also where OpenMP has bound the calling thread to one of them;
 * empty: unknown. Not collective. */
void binding_cores(cpu_set_t *cores);

#endif
