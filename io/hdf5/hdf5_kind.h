/* Which of the program's HDF5 files a file is. Not collective. */
#ifndef AUXSEG_IO_HDF5_HDF5_KIND_H
#define AUXSEG_IO_HDF5_HDF5_KIND_H

/* The name of the group that it must hold: "images" (dataset.h5), "labels", "features"; NULL: none
 * of them, or not readable. */
const char *hdf5_kind(const char *path);

#endif
