/* Random views of an image: a resized crop, a flip, colours. Not collective.
 * Drawn from one random stream, so a view depends on what it is for and on nothing else. */
#ifndef AUXSEG_IMAGE_AUGMENT_H
#define AUXSEG_IMAGE_AUGMENT_H

#include "src/base/random.h"
#include "src/image/image.h"

#include <stdbool.h>

typedef struct augment_options {
    int crop;                    /* side of the view, pixels */
    double scale_min, scale_max; /* magnification, uniform: a crop of crop / scale pixels, at most
                                    the image, is resized to the view */
    double flip;                 /* probability of a horizontal flip */
    double jitter;               /* brightness, contrast and saturation each by 1 +- jitter */
    double grey;                 /* probability of a view without colour */
} augment_options;

typedef struct view {
    int size;                        /* side of the view */
    double top, left, height, width; /* the crop, in pixels of the image */
    bool flip, grey;
    double brightness, contrast, saturation;
} view;

view view_draw(random_stream *r, const augment_options *o, int image_height, int image_width);
/* out fp32 [size, size, 3], bilinear, ImageNet-normalised. Returns STATUS_FAILED without memory. */
status view_image(const view *v, const image *in, float *out);
/* out [height, width]: labels at the centres of a height x width grid over the view (nearest), from
 * a label map that covers the same image as image_height x image_width does, at any resolution. */
void view_labels(const view *v, int image_height, int image_width, const labelmap *in, int height,
    int width, uint16_t *out);
/* Where the point (y, x), in [0, 1)^2 of view `from`, shows up in view `to`: returns false if
 * outside. */
bool view_correspond(
    const view *from, const view *to, double y, double x, double *to_y, double *to_x);

#endif
