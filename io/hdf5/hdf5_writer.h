/* A file of HDF5 that all ranks write together, under a temporary name (io/files/file.h). Rank 0
 * alone makes its structure, through HDF5, in a file that lies in memory; where an array stands,
 * rank 0 knows as soon as it is made, and every rank writes its own rows there, to the disk, with
 * pwrite. At the end rank 0 writes what is between the arrays. So nothing in HDF5 is collective,
 * and HDF5 never meets a disk that fails, which it does not survive (its flush is a hang on many
 * ranks, and its own end a crash): a failed write is a message and the same status on all ranks.
 *
 * Every function is collective over the writer's ranks (NULL: this process alone) and returns the
 * same status on all of them: STATUS_OUTPUT with a message that names file, array and reason. */
#ifndef AUXSEG_IO_HDF5_HDF5_WRITER_H
#define AUXSEG_IO_HDF5_HDF5_WRITER_H

#include "mpi/comm.h"

#include <hdf5.h>

/* Arrays a file, at most; one more is refused. */
#define HDF5_WRITER_ARRAYS 32

typedef struct hdf5_writer {
    const comm *c;
    const char *path;  /* borrowed, for messages */
    hid_t file;        /* rank 0's, in memory; else invalid */
    int memory;        /* rank 0's descriptor of that file, else -1 */
    int fd;            /* of the file on the disk, on every rank */
    struct hdf5_span { /* arrays, in the order in which they were made; not within HDF5's part */
        uint64_t begin, end;
    } arrays[HDF5_WRITER_ARRAYS];
    int array_count;
} hdf5_writer;

/* What hdf5_close takes for nothing to close. */
#define HDF5_WRITER_NONE                                                                           \
    { .file = H5I_INVALID_HID, .memory = -1, .fd = -1 }

status hdf5_create(hdf5_writer *w, const comm *c, const char *path);
/* HDF5's part of the file is whole and closed: nothing is made any more, rows are still written. */
status hdf5_seal(hdf5_writer *w);
/* A file that was sealed is opened again, for the rest of its rows. */
status hdf5_continue(hdf5_writer *w, const comm *c, const char *path);
/* st: how the writing went, the same on every rank; returned, or what the end made of it. Where it
 * failed, the file is the caller's to remove. What was written is on the disk once this is
 * STATUS_OK. */
status hdf5_close(hdf5_writer *w, status st);
status hdf5_group(hdf5_writer *w, const char *name);

/* Rows of a dataset [rows, columns] (columns 0: one-dimensional), of which this rank writes
 * first .. first + count - 1. */
typedef struct hdf5_rows {
    const char *name;
    hid_t type; /* as in memory, so in the file */
    hsize_t rows, columns;
    hsize_t first, count;
    int64_t offset; /* in the file, by hdf5_make */
} hdf5_rows;
/* Makes the array and reserves its place on the disk: a disk that is too full says so here. */
status hdf5_make(hdf5_writer *w, hdf5_rows *r);
status hdf5_write(hdf5_writer *w, const hdf5_rows *r, const void *data);
/* hdf5_make and hdf5_write of an array that rank 0 has whole. */
status hdf5_put(hdf5_writer *w, const hdf5_rows *r, const void *data);
/* Strings of fixed length; the same on every rank. */
status hdf5_put_strings(hdf5_writer *w, const char *name, const char *const *text, hsize_t n);
/* Attributes of the root (object "/") or of a dataset; the same value on every rank. */
status hdf5_put_text(hdf5_writer *w, const char *object, const char *name, const char *text);
status hdf5_put_number(
    hdf5_writer *w, const char *object, const char *name, hid_t type, const void *number);

#endif
