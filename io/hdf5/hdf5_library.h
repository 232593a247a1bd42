/* HDF5 as a library: how it begins in a process, and why it failed. */
#ifndef AUXSEG_IO_HDF5_HDF5_LIBRARY_H
#define AUXSEG_IO_HDF5_HDF5_LIBRARY_H

/* Before HDF5's first use in a process, and before MPI_Init: it neither prints nor tidies up at the
 * end (of the process or, where MPI was there first, of MPI), where it would close once more what
 * could not be closed, and crash. */
void hdf5_begin(void);
/* Why HDF5's last call failed, in its own words, with what helps where it is a lock. */
enum { HDF5_REASON = 384 };
void hdf5_reason(char text[HDF5_REASON]);

#endif
