/* What a network takes for images of many shapes, before it begins with them. */
#ifndef AUXSEG_APP_STAGE_INFERENCE_MEMORY_H
#define AUXSEG_APP_STAGE_INFERENCE_MEMORY_H

#include "src/app/stage/inference.h"

/* Images first .. first + count - 1 of a data set, each in all the sizes of a list as settings have
 * it ("0.75, 1"), times `scale`. The list is borrowed. */
typedef struct inference_views {
    int first, count;
    double scale;
    const char *scales;
} inference_views;

/* Most bytes that plans take together while the images pass in their order; 0 without images. The
 * plan of the largest shape is made; of the others' bytes, packed weights are as many, and
 * the rest goes with the pixels.
 * Not collective. STATUS_FAILED: no memory. */
status inference_memory(
    inference *n, const dataset *d, const inference_views *views, double *bytes);

#endif
