/* Settings on all ranks. */
#ifndef AUXSEG_MPI_SETTINGS_SHARE_H
#define AUXSEG_MPI_SETTINGS_SHARE_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* settings_read by rank 0 alone; its status travels first, then the values. *out is the same on
 * every rank, untouched on error. file, set: rank 0's count. Collective. */
status settings_share(
    const comm *c, settings *out, const char *file, const char *const *set, int sets);

#endif
