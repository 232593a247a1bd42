/* Gaussian blur of a view. Not collective. */
#ifndef AUXSEG_IMAGE_BLUR_H
#define AUXSEG_IMAGE_BLUR_H

#include "src/base/status.h"

/* x fp32 [size, size, 3], in place, mirrored at the borders (the border pixel itself once, as
 * PyTorch's "reflect"); the kernel exp(-d^2 / 2 sigma^2) reaches ceil(3 sigma) pixels, at most
 * size - 1, and adds up to 1: torchvision's gaussian_blur with that kernel size. Returns
 * STATUS_FAILED without memory. */
status blur_gaussian(double sigma, int size, float *x);

#endif
