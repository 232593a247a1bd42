/* ResNet (He, Zhang, Ren, Sun 2016) as in torchvision, without its classifier: 18, 34 (basic
 * blocks), 50, 101, 152 (bottlenecks with the stride in the 3x3 convolution, or as in the paper and
 * Caffe's weights in the first 1x1).
 * Stem: a 7x7 convolution, or three 3x3 ones (ResNet-C: He, Zhang, Zhang, Zhang, Xie, Li 2019).
 * Not collective. Names: "backbone." + torchvision's; the deep stem's are mmsegmentation's
 * ("backbone.stem.0" .. "backbone.stem.7"). */
#ifndef AUXSEG_MODEL_RESNET_H
#define AUXSEG_MODEL_RESNET_H

#include "src/base/settings_choices.h"
#include "src/nn/graph/graph.h"

enum { RESNET_STAGES = 4 };

typedef struct resnet {
    bool bottleneck;
    int blocks[RESNET_STAGES];
    bool deep_stem;    /* three 3x3 convolutions in place of one 7x7 */
    bool stride_first; /* bottlenecks stride in their first convolution, not in the 3x3 */
} resnet;

/* With a plain stem and the stride in the 3x3: the caller changes what is otherwise. */
resnet resnet_of(model_backbone b);

/* stage [stages] is written: the outputs of "layer1" .. the last one built.
 * output_stride >= 4, a power of two: a stage that would exceed it is dilated instead of strided,
 * and its first block keeps the dilation of the stage before. */
void resnet_build(
    graph *g, value image, const resnet *kind, int stages, int output_stride, value *stage);

#endif
