/* One array of three dimensions: what another extractor says of an image. Not collective. */
#ifndef AUXSEG_IO_FILES_NPY_MAP_H
#define AUXSEG_IO_FILES_NPY_MAP_H

#include "io/files/npy.h"

/* Whether a file can be one: [a, b, c] in C order of float16, float32 or float64, at least one
 * element, none of its sizes beyond 2^31. STATUS_DATA, with a message that names the file. */
status npy_map_check(const char *path, const npy_info *a);
/* to [h w, D]: the array [h, w, D], or, with channels_first, [D, h, w]. float64 is rounded to the
 * nearest float32. */
status npy_map_read(const char *path, const npy_info *a, bool channels_first, float *to);
/* What the rounding of the type can change a squared length of 1 by. */
double npy_map_rounding(const npy_info *a);

#endif
