/* Mirror images, left and right exchanged. Not collective. */
#ifndef AUXSEG_IMAGE_MIRROR_H
#define AUXSEG_IMAGE_MIRROR_H

/* Of a normalised image x [H, W, 3], in place. */
void mirror_normalized(float *x, int height, int width);

#endif
