/* Arrays and attributes of a file whose writer is not trusted: for hdf5.c, hdf5_attribute.c and
 * hdf5_walk.c alone. Not collective. */
#ifndef AUXSEG_IO_HDF5_HDF5_OBJECT_H
#define AUXSEG_IO_HDF5_HDF5_OBJECT_H

#include "src/base/status.h"

#include <hdf5.h>
#include <stdbool.h>

/* An array that may be read: of numbers or texts of fixed length, in one piece in this very file,
 * of one or two dimensions, all of it within the file's size. */
typedef struct hdf5_object {
    hid_t id, type;
    hsize_t rows, columns; /* columns 1 where one-dimensional */
    int dimensions;
    haddr_t offset; /* in the file; HADDR_UNDEF: it has none of its own (no element, or few) */
} hdf5_object;

/* STATUS_DATA, with a message that names file, array and what is wrong, for every other. */
status hdf5_object_open(hdf5_object *o, hid_t file, const char *path, const char *name);
/* Also of one that was not opened, if it is all zeros. */
void hdf5_object_close(hdf5_object *o);

/* Whether a type of the file is this standard one, in either order of bytes, nothing about it being
 * unusual. */
bool hdf5_type_is(hid_t type, hid_t standard);
/* STATUS_DATA, with a message, unless it is. */
status hdf5_type_check(const char *path, const char *name, hid_t type, hid_t standard);
/* Whether every step to `name` ("/labels/data") is a plain link within the file: others could lead
 * to other files. STATUS_DATA with a message. */
status hdf5_links_check(hid_t file, const char *path, const char *name);
/* The message of all refusals; returns STATUS_DATA. */
status hdf5_refuse(const char *path, const char *name, const char *why);

#endif
