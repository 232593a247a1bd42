/* Which of the program's HDF5 files a file is. Not collective. */
#ifndef AUXSEG_IO_HDF5_HDF5_KIND_H
#define AUXSEG_IO_HDF5_HDF5_KIND_H

#include "src/base/status.h"

/* *group: the name of the group that it must hold: "images" (dataset.h5), "labels", "features";
 * NULL: none of them. STATUS_DATA with a message if it cannot be read. */
status hdf5_kind(const char *path, const char **group);

#endif
