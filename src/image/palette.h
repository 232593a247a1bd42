/* Colours of labels, and labels drawn over images. Not collective. */
#ifndef AUXSEG_IMAGE_PALETTE_H
#define AUXSEG_IMAGE_PALETTE_H

#include "src/image/image.h"

typedef uint8_t palette[256][3];

/* 256 colours, neighbours far apart in hue; 255, LABEL_IGNORE, is black. Borrowed, constant. */
const uint8_t (*palette_classes(void))[3];
/* The label map's colours over the image, `opacity` in [0, 1]; the map is brought to the image's
 * size by nearest neighbour; label y has colour[y % 255], LABEL_IGNORE stays uncoloured and darker.
 * colour [255] borrowed. out is created. */
status palette_overlay(
    const image *rgb, const labelmap *map, const uint8_t (*colour)[3], double opacity, image *out);

#endif
