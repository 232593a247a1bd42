/* The few HDF5 operations that reading the program's files takes: by one rank. Big arrays are
 * contiguous, so that any rank may pread them at hdf5_offset. Every function logs what failed, with
 * file and name. hdf5_writer.h makes the files. */
#ifndef AUXSEG_IO_HDF5_HDF5_H
#define AUXSEG_IO_HDF5_HDF5_H

#include "src/base/status.h"

#include <hdf5.h>
#include <stdint.h>

/* Reading, by one process. */
/* Before HDF5's first use in a process: it neither prints nor tidies up at exit, where it would try
 * once more to write what could not be written, and crash. */
void hdf5_begin(void);
/* Why HDF5's last call failed, in its own words, with what helps where it is a lock. */
enum { HDF5_REASON = 384 };
void hdf5_reason(char text[HDF5_REASON]);
status hdf5_open(hid_t *file, const char *path);
/* Shape of a dataset [rows, columns] (columns 1 where one-dimensional). STATUS_DATA if absent. */
status hdf5_shape(hid_t file, const char *path, const char *name, hsize_t *rows, hsize_t *columns);
/* All of it, converted to a native type: data is as large as the shape says. */
status hdf5_get(hid_t file, const char *path, const char *name, hid_t type, void *data);
/* Owned by the caller: one block of n pointers and their texts (memory_free). */
status hdf5_get_strings(hid_t file, const char *path, const char *name, char ***text, hsize_t *n);
status hdf5_get_number(
    hid_t file, const char *path, const char *object, const char *name, hid_t type, void *number);
/* text [size]. */
status hdf5_get_text(hid_t file, const char *path, const char *name, char *text, size_t size);
/* Where a contiguous dataset begins in the file, in bytes; 0 elements: 0. */
status hdf5_offset(hid_t file, const char *path, const char *name, int64_t *offset);

#endif
