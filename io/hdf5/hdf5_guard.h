/* A file is looked at by a process of its own before it is used: on some files that are damaged, or
 * made for it, the HDF5 library crashes or goes on without end. Not collective. */
#ifndef AUXSEG_IO_HDF5_HDF5_GUARD_H
#define AUXSEG_IO_HDF5_HDF5_GUARD_H

#include "src/base/status.h"

/* The program's own command for it, `auxseg hdf5-walk FILE`: main calls hdf5_walk. */
#define HDF5_GUARD_COMMAND "hdf5-walk"

/* From here on hdf5_open has each file looked at first by a process of this very program, once for
 * each file and state of it. Where nobody calls it, as in tests of units, nothing is looked at. */
void hdf5_guard_begin(void);

/* For hdf5_open. STATUS_OK if the file was walked to its end, or nobody wants it to be, or no
 * process could be started (a warning says so). STATUS_DATA with a message that names the file;
 * STATUS_FAILED where the process was killed. */
status hdf5_guard(const char *path);

#endif
