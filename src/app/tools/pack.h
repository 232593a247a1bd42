/* The stage that packs a data set, as it lies, into dataset.h5. */
#ifndef AUXSEG_APP_TOOLS_PACK_H
#define AUXSEG_APP_TOOLS_PACK_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. Skipped if done. */
status command_pack(const comm *c, const settings *s);

#endif
