/* Changes of colour, on lines of pixels in [0, 1] whose channels lie apart. For views
 * (src/image/augment.h). Not collective. */
#ifndef AUXSEG_IMAGE_COLOUR_H
#define AUXSEG_IMAGE_COLOUR_H

#include <stdbool.h>
#include <stddef.h>

/* A pixel's grey g is the mean of its channels, or its luminance .2989 R + .587 G + .114 B. Every
 * change is clamped to [0, 1]:
 *   brightness  x b
 *   contrast    (x - m) c + m, m the mean grey of the view
 *   saturation  (x - g) s + g
 *   hue         turned by h of the circle in HSV
 * and a view without colour is g. */
typedef enum colour_rule {
    COLOUR_MEAN,      /* in the order above, g the mean */
    COLOUR_LUMINANCE, /* torchvision's ColorJitter and RandomGrayscale: random order, g luminance */
} colour_rule;

typedef enum colour_change {
    COLOUR_BRIGHTNESS,
    COLOUR_CONTRAST,
    COLOUR_SATURATION,
    COLOUR_HUE,
    COLOUR_CHANGES
} colour_change;

typedef struct colours {
    colour_rule rule;
    double factor[COLOUR_CHANGES]; /* 1 and for the hue 0 change nothing */
    int order[COLOUR_CHANGES];     /* of colour_change */
    bool grey;                     /* in the end */
} colours;

/* Changes nothing. */
colours colours_none(colour_rule rule);

/* How many of the changes come before the contrast, which needs the whole view; all of them, if it
 * changes nothing. */
int colours_before_contrast(const colours *c);
/* Changes `first` to `last` - 1 of the order. line [3][n]: red, green, blue. mean: of the view's
 * grey when the contrast's turn has come. */
void colours_change(const colours *c, int first, int last, float mean, size_t n, float *line);
/* A line of greys if the view is without colour. */
void colours_grey(const colours *c, size_t n, float *line);
/* The sum of a line's greys, added in a fixed order. */
double colours_grey_sum(const colours *c, size_t n, const float *line);

#endif
