/* DeepLab's heads, written as their papers draw them: a pyramid of dilated convolutions that sees
 * several scales at once, and under V3+ a second path that brings back the fine detail of layer1.
 * The names of the layers are part of the format of weights: they must stay as they are. */
#include "src/model/deeplab.h"

#include "src/model/sequential.h"

#include <stdio.h>

enum {
    CHANNELS = 256,
    LOW_CHANNELS = 48,
    REACH = 96, /* pixels of the input: the smallest rate times the stride */
    BRANCHES = 5,
};

/* Atrous spatial pyramid pooling: a 1x1 and three dilated 3x3 convolutions and the image's mean,
 * concatenated and projected. */
static value pyramid(graph *g, value x, const char *name, int channels) {
    char prefix[BRANCHES + 1][PARAMETER_NAME];
    for (int i = 0; i < BRANCHES; i++)
        snprintf(prefix[i], sizeof prefix[i], "%s.convs.%d", name, i);
    snprintf(prefix[BRANCHES], sizeof prefix[BRANCHES], "%s.project", name);

    value branch[BRANCHES];
    branch[0] = sequential_conv(g, x, prefix[0], 0, channels, (conv){.kernel = 1});
    for (int i = 1; i <= 3; i++) {
        conv dilated = {.kernel = 3, .dilation = i * REACH / graph_stride(g, x)};
        branch[i] = sequential_conv(g, x, prefix[i], 0, channels, dilated);
    }
    /* The image's mean reaches farther than any rate does. */
    value mean = graph_global_pool(g, x);
    mean = sequential_conv(g, mean, prefix[4], 1, channels, (conv){.kernel = 1});
    branch[4] = graph_resize(g, mean, x);

    x = graph_concat(g, branch, BRANCHES);
    x = sequential_conv(g, x, prefix[BRANCHES], 0, channels, (conv){.kernel = 1});
    return graph_dropout(g, x, 0.5);
}

value deeplab_body(graph *g, value x, int channels) {
    if (channels == 0) channels = CHANNELS;
    x = pyramid(g, x, "classifier.0", channels);
    return sequential_conv(g, x, "classifier", 1, channels, (conv){.kernel = 3});
}

/* The coarse map is brought to the fine one's size before they are joined. Few channels of the fine
 * one, so that the pyramid outweighs it: the paper's 48. */
value deeplab_plus_body(graph *g, value x, value low, int channels) {
    if (channels == 0) channels = CHANNELS;
    value fine =
        sequential_conv(g, low, "classifier.project", 0, LOW_CHANNELS, (conv){.kernel = 1});
    value coarse = pyramid(g, x, "classifier.aspp", channels);
    value both[] = {fine, graph_resize(g, coarse, low)};
    x = graph_concat(g, both, 2);
    return sequential_conv(g, x, "classifier.classifier", 0, channels, (conv){.kernel = 3});
}
