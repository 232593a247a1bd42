#include "src/model/projection.h"

value projection_build(graph *g, value x, int dimensions) {
    conv pointwise = {.kernel = 1, .bias = true, .init = INIT_UNIFORM};
    x = graph_relu(g, graph_conv(g, x, "projection.0", graph_channels(g, x), pointwise));
    return graph_conv(g, x, "projection.2", dimensions, pointwise);
}
