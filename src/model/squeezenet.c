/* SqueezeNet as one list of its published layers, of which two networks are built: the one of whole
 * images, edge for edge as it was trained, and the encoder of dense features. The two differ at the
 * edges alone. Published, the stem has no padding and pools round up, so that maps lie some pixels
 * inside of the image and are smaller than its size divided by the stride; labels and features here
 * count on that size. So the encoder pads its stem and its pools as a ResNet does. Weights are the
 * same. There are no norms: pretrained weights are what makes this network work. */
#include "src/model/squeezenet.h"

#include <assert.h>
#include <stdio.h>

/* What stands at "features.N"; numbers that are not listed are ReLUs, which have no weights. */
typedef struct step {
    int number;
    int squeeze, expand; /* a fire module's widths, expand of each half; 0: a pool */
} step;

enum { STEPS = 11 };

typedef struct version {
    int kernel, channels; /* of the stem, "features.0" */
    step step[STEPS];
} version;

/* Torchvision's order. 1.1 pools earlier, and costs 2.4 times less. */
static const version versions[] = {
    {7, 96,
        {{2, 0, 0}, {3, 16, 64}, {4, 16, 64}, {5, 32, 128}, {6, 0, 0}, {7, 32, 128}, {8, 48, 192},
            {9, 48, 192}, {10, 64, 256}, {11, 0, 0}, {12, 64, 256}}},
    {3, 64,
        {{2, 0, 0}, {3, 16, 64}, {4, 16, 64}, {5, 0, 0}, {6, 32, 128}, {7, 32, 128}, {8, 0, 0},
            {9, 48, 192}, {10, 48, 192}, {11, 64, 256}, {12, 64, 256}}},
};

static const version *version_of(model_backbone b) {
    assert(squeezenet_is(b));
    return &versions[b == MODEL_BACKBONE_SQUEEZENET1_1];
}

bool squeezenet_is(model_backbone b) {
    return b == MODEL_BACKBONE_SQUEEZENET1_0 || b == MODEL_BACKBONE_SQUEEZENET1_1;
}

/* A convolution with bias and ReLU: without norms nothing else shifts. PyTorch's variance; its
 * default bias of zero. */
static value convolve(graph *g, value x, const char *name, int channels, conv c) {
    c.bias = true;
    return graph_relu(g, graph_conv(g, x, name, channels, c));
}

/* Few channels, then two kernels side by side on them. */
static value fire(graph *g, value x, const step *s, int dilation) {
    char name[PARAMETER_NAME];
    snprintf(name, sizeof name, "backbone.features.%d.squeeze", s->number);
    x = convolve(g, x, name, s->squeeze, (conv){.kernel = 1});
    snprintf(name, sizeof name, "backbone.features.%d.expand1x1", s->number);
    value point = convolve(g, x, name, s->expand, (conv){.kernel = 1});
    snprintf(name, sizeof name, "backbone.features.%d.expand3x3", s->number);
    value around = convolve(g, x, name, s->expand, (conv){.kernel = 3, .dilation = dilation});
    value both[] = {point, around};
    return graph_concat(g, both, 2);
}

static value stem(graph *g, value image, const version *v, int padding) {
    conv c = {.kernel = v->kernel, .stride = 2, .padding = padding};
    return convolve(g, image, "backbone.features.0", v->channels, c);
}

/* A stage ends before the next pool. The first pool is the stem's. */
void squeezenet_build(
    graph *g, value image, model_backbone b, int stages, int output_stride, value *stage) {
    const version *v = version_of(b);
    assert(stages >= 1 && stages <= SQUEEZENET_STAGES && output_stride >= 4);
    value x = stem(g, image, v, PADDING_SAME);
    int reached = 2, dilation = 1, done = -1;
    for (int i = 0; i < STEPS; i++) {
        const step *s = &v->step[i];
        if (s->expand) {
            x = fire(g, x, s, dilation);
            if (i + 1 < STEPS) continue;
        }
        /* Before a pool, or at the end: a stage is complete, but for the stem. */
        if (done >= 0) stage[done] = x;
        if (++done == stages) return;
        int stride = 2 * reached <= output_stride ? 2 : 1;
        x = graph_max_pool(g, x, 3, stride, 1, false);
        reached *= stride;
        dilation *= 2 / stride;
    }
}

value squeezenet_image(graph *g, value image, model_backbone b, int classes) {
    const version *v = version_of(b);
    value x = stem(g, image, v, PADDING_NONE);
    for (int i = 0; i < STEPS; i++) {
        const step *s = &v->step[i];
        x = s->expand ? fire(g, x, s, 1) : graph_max_pool(g, x, 3, 2, 0, true);
    }
    graph_group(g, GROUP_HEAD);
    return graph_global_pool(g, convolve(g, x, "classifier.1", classes, (conv){.kernel = 1}));
}
