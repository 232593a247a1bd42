/* Colours for any number of labels, where the data set has none of its own: neighbours in number
 * are far apart in hue, and saturation and value alternate, so that labels whose hues come close,
 * 13 apart, differ, too. */
#include "src/image/palette.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>

/* Hue in [0, 1), saturation and value in [0, 1]. */
static void from_hue(double hue, double saturation, double value, uint8_t *rgb) {
    for (int k = 0; k < 3; k++) {
        double x = fmod(hue + (3 - k) / 3.0, 1) * 6;
        double ramp = fmin(1, fmax(0, fabs(x - 3) - 1));
        rgb[k] = (uint8_t)(255 * value * (1 - saturation * (1 - ramp)) + 0.5);
    }
}

static palette colours; /* made once, whichever thread asks first */

/* Steps of the golden ratio spread hues evenly for any number of labels. */
static void make_colours(void) {
    for (int i = 0; i < 255; i++)
        from_hue(fmod(0.58 + i * 0.6180339887498949, 1), i / 8 % 2 ? 0.45 : 0.75,
            i / 16 % 2 ? 0.65 : 0.92, colours[i]);
}

const uint8_t (*palette_classes(void))[3] {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_colours);
    return (const uint8_t(*)[3])colours;
}

/* Labels are drawn at the image's size, where a reader compares them with the image. What has no
 * label is darkened: it is seen as left out. */
status palette_overlay(
    const image *rgb, const labelmap *map, const uint8_t (*colour)[3], double opacity, image *out) {
    labelmap large = {0};
    status st = labelmap_resize(map, rgb->height, rgb->width, &large);
    if (st == STATUS_OK) st = image_create(out, rgb->height, rgb->width);
    for (size_t i = 0, n = (size_t)rgb->height * (size_t)rgb->width; st == STATUS_OK && i < n;
         i++) {
        uint16_t label = large.data[i];
        static const uint8_t black[3] = {0};
        const uint8_t *to = label == LABEL_IGNORE ? black : colour[label % 255];
        double mix = label == LABEL_IGNORE ? 0.6 : opacity;
        for (size_t k = 0; k < 3; k++)
            out->data[3 * i + k] = (uint8_t)(rgb->data[3 * i + k] * (1 - mix) + to[k] * mix + 0.5);
    }
    labelmap_destroy(&large);
    return st;
}
