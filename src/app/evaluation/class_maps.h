/* The class of every pixel as a network predicts it, averaged over evaluate.scales and, with
 * evaluate.flip, over mirror images. For images of one shape at a time. Not collective. */
#ifndef AUXSEG_APP_EVALUATION_CLASS_MAPS_H
#define AUXSEG_APP_EVALUATION_CLASS_MAPS_H

#include "src/app/stage/inference.h"
#include "src/app/stage/stage.h"
#include "src/image/image.h"

/* rgb [count], all of one shape, at most class_maps_count: class ids at height x width, whatever
 * the images' size. list [count]: their places in t->d. out [count] is created. STATUS_NONFINITE
 * names an image that the network gives no number for. The same bits for any count, ranks and
 * threads. */
status class_maps_predict(const stage *t, inference *net, const int *list, const image *rgb,
    int count, int height, int width, labelmap *out);

/* How many images from list[first] on class_maps_predict may be given at once: of one shape at
 * dataset.scale and at `scale`, that of the classes wanted, and no more than their class
 * probabilities leave memory for. */
int class_maps_count(
    const stage *t, const inference *net, const int *list, int first, int end, double scale);

#endif
