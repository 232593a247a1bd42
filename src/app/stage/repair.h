/* What can be made anew when a command has failed on a damaged file. */
#ifndef AUXSEG_APP_STAGE_REPAIR_H
#define AUXSEG_APP_STAGE_REPAIR_H

#include "mpi/comm.h"
#include "src/base/settings.h"

#include <stdbool.h>

/* Whether a rank has met an image of dataset.h5 that is damaged, and the data set counts as not
 * packed from now on: the next `pack` or `run` packs it anew. Says so, or that there is nothing to
 * pack it anew from. Collective. */
bool repair_dataset(const comm *c, const settings *s);

#endif
