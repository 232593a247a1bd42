/* SqueezeNet (Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016), 1.0 and 1.1, as in
 * torchvision. Not collective. Names: "backbone." + torchvision's "features.N", without norms; the
 * classifier of images is "classifier.1". */
#ifndef AUXSEG_MODEL_SQUEEZENET_H
#define AUXSEG_MODEL_SQUEEZENET_H

#include "src/base/settings_choices.h"
#include "src/nn/graph/graph.h"

enum { SQUEEZENET_STAGES = 3 };

/* Whether it is one of these. */
bool squeezenet_is(model_backbone b);

/* stage [stages] is written: outputs at strides 4, 8 and 16, of 256, 512 and 512 channels (1.1:
 * 128, 256 and 512). output_stride >= 4, a power of two: a pool beyond it does not stride, and what
 * follows is dilated. Maps lie on the grid of every other encoder here (ceil(size / stride), pixel
 * i over the image's i * stride): the stem and the pools are padded. */
void squeezenet_build(
    graph *g, value image, model_backbone b, int stages, int output_stride, value *stage);

/* The network of whole images as it was published: unpadded stem, pools that round up, no dilation.
 * Scores before the softmax: [1, 1, classes]. The parameters are those of squeezenet_build, and
 * classifier.1's. */
value squeezenet_image(graph *g, value image, model_backbone b, int classes);

#endif
