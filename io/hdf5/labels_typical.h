/* The group /typical of labels.h5 (io/hdf5/labels.h). */
#ifndef AUXSEG_IO_HDF5_LABELS_TYPICAL_H
#define AUXSEG_IO_HDF5_LABELS_TYPICAL_H

#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_writer.h"
#include "src/label/typical.h"

/* list [K, P], the same on every rank. Collective. */
status labels_typical_write(hdf5_writer *w, const typical_pixel *list, int k);
/* *out [K, P], owned (memory_free); NULL where the file has none. STATUS_OUTPUT for another shape.
 * Rank 0 alone. */
status labels_typical_read(hid_t file, const char *path, int k, typical_pixel **out);

#endif
