/* The projection head, which only pretraining has: what follows keeps the body below it and drops
 * this. As wide as its input, as in SimCLR. */
#include "src/model/projection.h"

value projection_build(graph *g, value x, int dimensions) {
    conv pointwise = {.kernel = 1, .bias = true, .init = INIT_UNIFORM};
    x = graph_relu(g, graph_conv(g, x, "projection.0", graph_channels(g, x), pointwise));
    return graph_conv(g, x, "projection.2", dimensions, pointwise);
}
