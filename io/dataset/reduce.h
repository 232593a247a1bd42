/* Images that are packed smaller than they are found. Not collective; thread-safe. */
#ifndef AUXSEG_IO_DATASET_REDUCE_H
#define AUXSEG_IO_DATASET_REDUCE_H

#include "io/codecs/image_file.h"

#include <stdbool.h>

/* The shape of an upright picture whose longer side shall not be above max_side (0: any): sides
 * rounded to nearest, at least 1. Whether it is another one. */
bool reduce_shape(int *height, int *width, int max_side);
/* The picture with these bytes and header, upright and of that shape, encoded anew: a JPEG as JPEG
 * of quality 95 with full colours, a PNG as PNG. *out is the caller's (memory_free). The same bytes
 * for the same bytes, on any rank. */
status reduce_image(const void *bytes, size_t size, const char *name, const image_header *h,
    int max_side, void **out, size_t *out_size);

#endif
