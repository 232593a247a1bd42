/* Position embeddings of a vision transformer, brought from the grid that they were trained with to
 * an image's. Not collective. */
#ifndef AUXSEG_NN_KERNELS_POSITIONS_H
#define AUXSEG_NN_KERNELS_POSITIONS_H

#include "src/base/status.h"

#include <stdbool.h>

/* x [grid, grid, C] to y [height, width, C], bicubic, as torch's interpolate does in double
 * precision. antialias: to the size, a = -1/2, the kernel widened where the grid shrinks (timm's,
 * DINOv2's with registers). Without: a = -3/4, coordinates by the factor (size + 0.1) / grid, as
 * DINO and DINOv2 without registers have it. Equal grids are copied. STATUS_FAILED: no memory. */
status positions_resize(
    const float *x, int grid, float *y, int height, int width, int channels, bool antialias);

#endif
