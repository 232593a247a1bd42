/* Parts of features.h, for features.c and features_write.c alone. */
#ifndef AUXSEG_IO_HDF5_FEATURES_PARTS_H
#define AUXSEG_IO_HDF5_FEATURES_PARTS_H

#include "io/hdf5/features.h"
#include "io/hdf5/image_table.h"

#define FEATURES_FORMAT "auxseg features 1"
#define FEATURES_DATA "/features/data"

static inline size_t features_info_row_bytes(const features_info *i) {
    return (size_t)i->d * dtype_size(i->type);
}
/* Of everything in the file: the images' rows by their hashes. */
uint64_t features_checksum(const features_info *i, const image_table *t);

#endif
