/* 8-bit images and label maps in memory. Not collective. */
#ifndef AUXSEG_IMAGE_IMAGE_H
#define AUXSEG_IMAGE_IMAGE_H

#include "src/base/status.h"
#include "src/image/input.h"

#include <stdint.h>

enum { LABEL_IGNORE = 65535 }; /* in a label map: a pixel that takes no part */

typedef struct image {
    int height, width;
    uint8_t *data; /* [H, W, 3], RGB; owned */
} image;

typedef struct labelmap {
    int height, width;
    uint16_t *data; /* [H, W], class or cluster, or LABEL_IGNORE; owned */
} labelmap;

status image_create(image *out, int height, int width);
/* NULL-safe on the data. */
void image_destroy(image *m);
status labelmap_create(labelmap *out, int height, int width);
void labelmap_destroy(labelmap *m);

/* Bilinear with a support that grows with the reduction (Pillow's BILINEAR: no aliasing). out is
 * created. */
status image_resize(const image *in, int height, int width, image *out);
/* Nearest: the pixel that covers the centre. out is created. */
status labelmap_resize(const labelmap *in, int height, int width, labelmap *out);

/* The numbers that a network wants of an image: out fp32 [H, W, 3]. input NULL: ImageNet's. */
void image_normalize(const image *in, const image_input *input, float *out);

#endif
