/* Random views of an image: a resized crop, a flip, colours, blur. Not collective.
 * Drawn from one random stream, so a view depends on what it is for and on nothing else. */
#ifndef AUXSEG_IMAGE_AUGMENT_H
#define AUXSEG_IMAGE_AUGMENT_H

#include "src/base/random.h"
#include "src/image/colour.h"
#include "src/image/image.h"

#include <stdbool.h>

typedef enum crop_rule {
    /* crop / s pixels, s uniform in [scale_min, scale_max], at most the image, are resized to the
     * view, between the two nearest pixels. */
    CROP_SCALE,
    /* torchvision's RandomResizedCrop: a share of the image's area uniform in [area_min, area_max],
     * width to height log-uniform in [aspect_min, aspect_max], ten attempts, then the largest
     * central crop whose aspect is in range; resized over all pixels that a view's pixel covers. */
    CROP_AREA,
} crop_rule;

typedef struct augment_options {
    int crop; /* side of the view, pixels */
    crop_rule rule;
    double scale_min, scale_max, area_min, area_max, aspect_min, aspect_max;
    double flip;         /* probability of a horizontal flip */
    colour_rule colours; /* how colours change, src/image/colour.h */
    double jitter;       /* probability that they do */
    double brightness, contrast,
        saturation;                  /* largest changes: factors from max(0, 1 - x) to 1 + x */
    double hue;                      /* largest turn, 0.5 is half of the circle */
    double grey;                     /* probability of a view without colour */
    double blur, blur_min, blur_max; /* probability; range of sigma, pixels of the view */
    const image_input *input;        /* what the network wants, borrowed; NULL: ImageNet's */
} augment_options;

typedef struct view {
    int size;                        /* side of the view */
    double top, left, height, width; /* the crop, in pixels of the image */
    bool flip, smooth;               /* smooth: over all pixels covered, as CROP_AREA says */
    colours colour;
    double blur;              /* sigma, 0: none */
    const image_input *input; /* as in augment_options */
} view;

view view_draw(random_stream *r, const augment_options *o, int image_height, int image_width);
/* How many times smaller an image may be read without a view that view_draw can give losing detail:
 * every view shows at least so many times its own height and width. At least 1. */
double view_reduction(const augment_options *o, int image_height, int image_width);

/* out fp32 [size, size, 3], normalised as v->input says. `in` covers the same image as image_height
 * x image_width does, at any resolution. Returns STATUS_FAILED without memory. */
status view_image(const view *v, int image_height, int image_width, const image *in, float *out);
/* out [height, width]: labels at the centres of a height x width grid over the view (nearest), from
 * a label map that covers the same image as image_height x image_width does, at any resolution. */
void view_labels(const view *v, int image_height, int image_width, const labelmap *in, int height,
    int width, uint16_t *out);
/* Where the point (y, x), in [0, 1)^2 of view `from`, shows up in view `to`: returns false if
 * outside. */
bool view_correspond(
    const view *from, const view *to, double y, double x, double *to_y, double *to_x);

#endif
