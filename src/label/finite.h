/* Features that no arithmetic can take are refused by name. */
#ifndef AUXSEG_LABEL_FINITE_H
#define AUXSEG_LABEL_FINITE_H

#include "src/label/kmeans.h"

/* STATUS_NONFINITE names image and pixel of this rank's first element that is not finite, or beyond
 * 2^50. image [images]: rows of each; first: global index of the first. Not collective. */
status finite_check(
    const features *x, const int64_t *image, int64_t images, int64_t first, int threads);

#endif
