/* The few HDF5 operations that the files of the program need. Files are made in parallel under a
 * temporary name (io/files/file.h), read by one rank; big arrays are contiguous, so that any rank
 * may pread them at hdf5_offset. Every function logs what failed, with file and name. */
#ifndef AUXSEG_IO_HDF5_HDF5_H
#define AUXSEG_IO_HDF5_HDF5_H

#include "mpi/comm.h"

#include <hdf5.h>

/* A file being written, by all ranks of c together (NULL: by this process). */
typedef struct hdf5_writer {
    const comm *c;
    const char *path; /* borrowed, for messages */
    hid_t file;
} hdf5_writer;

/* Collective, like every function of a writer: the same status on every rank. */
status hdf5_create(hdf5_writer *w, const comm *c, const char *path);
status hdf5_close(hdf5_writer *w);
status hdf5_group(hdf5_writer *w, const char *name);

/* Rows of a dataset [rows, columns] (columns 0: one-dimensional). This rank writes rows
 * first .. first + count - 1; no transfer reaches 2 GiB. */
typedef struct hdf5_rows {
    const char *name;
    hid_t type;
    hsize_t rows, columns;
    hsize_t first, count;
} hdf5_rows;
status hdf5_make(hdf5_writer *w, const hdf5_rows *r);
status hdf5_write(hdf5_writer *w, const hdf5_rows *r, const void *data);
/* hdf5_make and hdf5_write of an array that rank 0 has whole. */
status hdf5_put(hdf5_writer *w, const hdf5_rows *r, const void *data);
/* Strings of fixed length; the same on every rank. */
status hdf5_put_strings(hdf5_writer *w, const char *name, const char *const *text, hsize_t n);
/* Attributes of the root (object "/") or of a dataset; the same value on every rank. */
status hdf5_put_text(hdf5_writer *w, const char *object, const char *name, const char *text);
status hdf5_put_number(
    hdf5_writer *w, const char *object, const char *name, hid_t type, const void *number);

/* Reading, by one process. */
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
