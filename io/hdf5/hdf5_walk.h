/* The look at a file of hdf5_guard.h, in the process that does it. */
#ifndef AUXSEG_IO_HDF5_HDF5_WALK_H
#define AUXSEG_IO_HDF5_HDF5_WALK_H

#include "src/base/status.h"

/* With limits of memory and time from here on, opens the file and whatever in it a reader of this
 * program opens, as it does. Writes "w" to standard output where the look begins, and a message to
 * standard error for what is refused: STATUS_DATA. Not collective. */
status hdf5_walk(const char *path);

#endif
