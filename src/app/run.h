/* The main job: every stage in turn. */
#ifndef AUXSEG_APP_RUN_H
#define AUXSEG_APP_RUN_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Collective. The same status on every rank. */
status command_run(const comm *c, const settings *s);

#endif
