/* The heads of DeepLabV3 (Chen, Papandreou, Schroff, Adam 2017) as in torchvision's DeepLabHead,
 * and of DeepLabV3+ (Chen, Zhu, Papandreou, Schroff, Adam 2018), which torchvision lacks.
 * Not collective. The rates of the atrous spatial pyramid are 12, 24, 36 at stride 8, 6, 12, 18 at
 * stride 16, and so on: the same angles in the image. channels 0: 256. */
#ifndef AUXSEG_MODEL_DEEPLAB_H
#define AUXSEG_MODEL_DEEPLAB_H

#include "src/nn/graph/graph.h"

/* The head body: "classifier.0" (the pyramid), "classifier.1", ".2". The classifier that follows
 * is "classifier.4". */
value deeplab_body(graph *g, value x, int channels);

/* The head body: the pyramid "classifier.aspp" is resized to `low` (layer1), joined with 48
 * channels of it, "classifier.project.0", ".1", and refined by one 3x3 convolution,
 * "classifier.classifier.0", ".1". The classifier that follows is "classifier.classifier.3". */
value deeplab_plus_body(graph *g, value x, value low, int channels);

#endif
