/* Scenes of the built-in data set: streets drawn by rule, with a label for every pixel. Not
 * collective. A scene depends on (seed, index) and its size alone.
 *
 * Some classes are told by colour, some only by texture or shape: trees and grass share colours,
 * buildings and roads share greys, cars and people wear any colour. Size, light and noise vary. */
#ifndef AUXSEG_IMAGE_SYNTH_H
#define AUXSEG_IMAGE_SYNTH_H

#include "src/image/image.h"

typedef enum synth_class {
    SYNTH_SKY,
    SYNTH_BUILDING,
    SYNTH_ROAD,
    SYNTH_GRASS,
    SYNTH_TREE,
    SYNTH_CAR,
    SYNTH_POLE,
    SYNTH_PERSON,
    SYNTH_CLASSES
} synth_class;

const char *synth_class_name(int y);

/* rgb and label are created; label holds synth_class. */
status synth_draw(
    uint64_t seed, uint64_t index, int height, int width, image *rgb, labelmap *label);

#endif
