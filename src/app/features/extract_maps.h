/* Feature maps that another program has made of the images: which file is an image's, whether it
 * fits, and its rows. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_MAPS_H
#define AUXSEG_APP_FEATURES_EXTRACT_MAPS_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Images of all ranks, in their order: names as the data set has them, sizes as their files have.
 * Borrowed. */
typedef struct extract_images {
    const char *const *name;
    const int *height, *width;
    int64_t count;
} extract_images;

/* The maps of this rank's images. */
typedef struct extract_maps extract_maps;

/* Finds the .npy file of each image of this rank's shard below the folder extract.files, looks at
 * its header and agrees with all ranks on D and on the order of dimensions. An image NAME.ending
 * has NAME.npy, in the same subfolders; where that is not there, the file of NAME's last part, if
 * no other image has the same last part. Images without a file, and maps that do not fit, are
 * named: STATUS_DATA. Files that are no image's: a warning. Collective. *out is NULL on failure. */
status extract_maps_open(
    extract_maps **out, const comm *c, const settings *s, const extract_images *images);
/* NULL-safe. */
void extract_maps_close(extract_maps *m);
int extract_maps_d(const extract_maps *m);
/* Of the i-th image of this rank. */
void extract_maps_shape(const extract_maps *m, int64_t i, int *height, int *width);
/* What the type's rounding can change a squared length of 1 by. */
double extract_maps_rounding(const extract_maps *m, int64_t i);
const char *extract_maps_path(const extract_maps *m, int64_t i);
/* to [height width, D]. Thread-safe. */
status extract_maps_rows(const extract_maps *m, int64_t i, float *to);
/* Whether an image's rows [height width, D] hold only numbers that features may have; if not,
 * STATUS_NONFINITE, and a message names path, image and the first place. Thread-safe. */
status extract_maps_finite(
    const char *path, const char *image, const float *rows, int height, int width, int d);
/* Of the bytes of all files, in the order of images, each read by one rank. Collective. */
status extract_maps_hash(const extract_maps *m, uint64_t *hash);

/* Whether a grid of h x w covers an image evenly: pixels of one size in both directions, but for
 * what is rounded at the edges. */
bool extract_maps_fits(int height, int width, int64_t h, int64_t w);

#endif
