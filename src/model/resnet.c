/* The encoders. A stage that would shrink the map beyond the output stride is dilated instead, so
 * that pretrained weights still mean the same; torchvision's rule, by which its first block keeps
 * the dilation before, holds for basic blocks too. */
#include "src/model/resnet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 64 }; /* channels of the stem, and inside the first stage's blocks */

typedef struct block {
    char name[PARAMETER_NAME];
    int width, channels; /* inside, and of the output */
    int stride, dilation;
} block;

/* Blocks a stage, by the paper's table 1. */
resnet resnet_of(model_backbone b) {
    switch (b) {
    case MODEL_BACKBONE_RESNET34:
        return (resnet){.bottleneck = false, .blocks = {3, 4, 6, 3}};
    case MODEL_BACKBONE_RESNET50:
        return (resnet){.bottleneck = true, .blocks = {3, 4, 6, 3}};
    case MODEL_BACKBONE_RESNET101:
        return (resnet){.bottleneck = true, .blocks = {3, 4, 23, 3}};
    case MODEL_BACKBONE_RESNET152:
        return (resnet){.bottleneck = true, .blocks = {3, 8, 36, 3}};
    case MODEL_BACKBONE_RESNET18:
    case MODEL_BACKBONE_SQUEEZENET1_0:
    case MODEL_BACKBONE_SQUEEZENET1_1:
        break;
    }
    return (resnet){.bottleneck = false, .blocks = {2, 2, 2, 2}};
}

/* A convolution without bias and its norm: a block's conv1 and bn1, downsample.0 and .1. No bias:
 * the norm would take it away again with the mean. */
static value conv_norm(graph *g, value x, const char *prefix, const char *const names[2],
    int channels, conv c, bool relu) {
    char name[2][2 * PARAMETER_NAME];
    for (int i = 0; i < 2; i++) snprintf(name[i], sizeof name[i], "%s.%s", prefix, names[i]);
    return graph_norm(g, graph_conv(g, x, name[0], channels, c), name[1], relu);
}

static const char *const first[] = {"conv1", "bn1"}, *const second[] = {"conv2", "bn2"},
                         *const third[] = {"conv3", "bn3"},
                         *const shortcut[] = {"downsample.0", "downsample.1"};

/* Two 3x3 convolutions, of which the first may stride. */
static value basic(graph *g, value x, const block *b) {
    conv strided = {.kernel = 3, .stride = b->stride, .dilation = b->dilation};
    conv dense = {.kernel = 3, .dilation = b->dilation};
    value y = conv_norm(g, x, b->name, first, b->width, strided, true);
    return conv_norm(g, y, b->name, second, b->channels, dense, false);
}

/* 1x1, 3x3, 1x1; the stride is in the middle one, as in torchvision and not as in the paper, unless
 * the weights are of the paper's kind. */
static value bottleneck(graph *g, value x, const block *b, bool stride_first) {
    conv reduce = {.kernel = 1, .stride = stride_first ? b->stride : 1};
    conv spatial = {.kernel = 3, .stride = stride_first ? 1 : b->stride, .dilation = b->dilation};
    value y = conv_norm(g, x, b->name, first, b->width, reduce, true);
    y = conv_norm(g, y, b->name, second, b->width, spatial, true);
    return conv_norm(g, y, b->name, third, b->channels, (conv){.kernel = 1}, false);
}

/* A block and its shortcut, which is projected only where shapes differ. Names are torchvision's;
 * the ReLU comes after the sum. */
static value residual(graph *g, value x, const resnet *kind, const block *b) {
    value y = kind->bottleneck ? bottleneck(g, x, b, kind->stride_first) : basic(g, x, b);
    if (b->stride != 1 || graph_channels(g, x) != b->channels) {
        conv project = {.kernel = 1, .stride = b->stride};
        x = conv_norm(g, x, b->name, shortcut, b->channels, project, false);
    }
    return graph_add(g, y, x, true);
}

/* Down to a quarter of the image's size. The deep stem sees as far as the 7x7, through two more
 * ReLUs; half as wide before its last convolution. Numbers are those of mmsegmentation's
 * Sequential, in which a ReLU has a number but no weights. */
static value build_stem(graph *g, value image, bool deep) {
    static const char *const plain[] = {"conv1", "bn1"};
    static const char *const steps[][2] = {
        {"stem.0", "stem.1"}, {"stem.3", "stem.4"}, {"stem.6", "stem.7"}};
    value x = image;
    if (!deep)
        x = conv_norm(g, x, "backbone", plain, WIDTH, (conv){.kernel = 7, .stride = 2}, true);
    for (int i = 0; deep && i < 3; i++) {
        conv c = {.kernel = 3, .stride = i == 0 ? 2 : 1};
        x = conv_norm(g, x, "backbone", steps[i], i < 2 ? WIDTH / 2 : WIDTH, c, true);
    }
    return graph_max_pool(g, x, 3, 2, 1, false);
}

void resnet_build(
    graph *g, value image, const resnet *kind, int stages, int output_stride, value *stage) {
    assert(stages >= 1 && stages <= RESNET_STAGES && output_stride >= 4);
    value x = build_stem(g, image, kind->deep_stem);
    /* `reached`: pixels of the image between two of the map. The stem has strided twice. */
    int reached = 4, dilation = 1;
    /* What a stage may not stride, all its convolutions but those of its first block dilate. */
    for (int s = 0; s < stages; s++) {
        int wanted = s == 0 ? 1 : 2, before = dilation;
        int stride = reached * wanted <= output_stride ? wanted : 1;
        reached *= stride;
        dilation *= wanted / stride;
        for (int i = 0; i < kind->blocks[s]; i++) {
            block b = {.width = WIDTH << s,
                .channels = (WIDTH << s) * (kind->bottleneck ? 4 : 1),
                .stride = i == 0 ? stride : 1,
                .dilation = i == 0 ? before : dilation};
            /* Torchvision counts stages from 1, blocks from 0. */
            snprintf(b.name, sizeof b.name, "backbone.layer%d.%d", s + 1, i);
            x = residual(g, x, kind, &b);
        }
        stage[s] = x;
    }
}
