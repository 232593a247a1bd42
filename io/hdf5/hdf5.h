/* The few HDF5 operations that reading the program's files takes: by one rank. Big arrays are
 * contiguous, so that any rank may pread them at hdf5_offset. Every function logs what failed, with
 * file and name. hdf5_writer.h makes the files.
 *
 * A file may come from anybody. STATUS_DATA, before anything is read or memory is taken, for: links
 * to other places or files; arrays in other files, in chunks, compressed, virtual, of types other
 * than plain numbers and texts of fixed length, of more than two dimensions, or beyond the file's
 * size; attributes that are not a single value. */
#ifndef AUXSEG_IO_HDF5_HDF5_H
#define AUXSEG_IO_HDF5_HDF5_H

#include "src/base/status.h"

#include <hdf5.h>
#include <stdint.h>

/* Reading, by one process. */
status hdf5_open(hid_t *file, const char *path);
/* Shape of a dataset [rows, columns] (columns 1 where one-dimensional). STATUS_DATA if absent. All
 * of it lies within the file: so large memory may be taken for it. */
status hdf5_shape(hid_t file, const char *path, const char *name, hsize_t *rows, hsize_t *columns);
/* All of it, which is of this native type, in either order of bytes: data is as large as the shape
 * says. */
status hdf5_get(hid_t file, const char *path, const char *name, hid_t type, void *data);
/* Owned by the caller: one block of n pointers and their texts (memory_free). */
status hdf5_get_strings(hid_t file, const char *path, const char *name, char ***text, hsize_t *n);
/* Attributes. An integer may be of another width in the file, a real float or double; the value has
 * to fit. type: an integer of 4 or 8 bytes, or a real. */
status hdf5_get_number(
    hid_t file, const char *path, const char *object, const char *name, hid_t type, void *number);
/* text [size], of the root. */
status hdf5_get_text(hid_t file, const char *path, const char *name, char *text, size_t size);
/* Where a contiguous dataset of this native type begins in the file, in bytes; 0 elements: 0. All
 * of it lies in the file. */
status hdf5_offset(hid_t file, const char *path, const char *name, hid_t type, int64_t *offset);

#endif
