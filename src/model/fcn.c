/* FCN's head body, the cheapest one: one convolution and dropout. Torchvision's names, so that its
 * published weights fit. */
#include "src/model/fcn.h"

#include "src/model/sequential.h"

value fcn_body(graph *g, value x, int channels) {
    if (channels == 0) channels = graph_channels(g, x) / 4;
    x = sequential_conv(g, x, "classifier", 0, channels, (conv){.kernel = 3});
    return graph_dropout(g, x, 0.1);
}
