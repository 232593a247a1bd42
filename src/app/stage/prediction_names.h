/* Names of the files of predictions: after their images, as the servers of benchmarks want them.
 * Not collective. */
#ifndef AUXSEG_APP_STAGE_PREDICTION_NAMES_H
#define AUXSEG_APP_STAGE_PREDICTION_NAMES_H

#include "src/base/status.h"

/* name [count], of images: *out [count], owned by the caller (memory_free), each a name without a
 * folder that ends in ".png" in place of the image's ending. It is that of the image's file, where
 * this tells all images apart, else of its whole path, with underscores for slashes. STATUS_DATA
 * with the names of two images that this does not tell apart. */
status prediction_names(const char *const *name, int count, char ***out);
/* A warning where it would fail: long before the first prediction, where names can be changed. */
status prediction_names_warn(const char *const *name, int count);

#endif
