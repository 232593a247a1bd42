/* The projection head, which the contrast alone has: what is written of a fine-tuning keeps the
 * body below it and drops this. As wide as its input, as in SimCLR. */
#include "src/model/projection.h"

#include <stdio.h>

value projection_build(graph *g, value x, const char *name, int dimensions) {
    char layer[2][PARAMETER_NAME];
    conv pointwise = {.kernel = 1, .bias = true, .init = INIT_UNIFORM};
    for (int i = 0; i < 2; i++) snprintf(layer[i], sizeof layer[i], "%s.%d", name, 2 * i);
    x = graph_relu(g, graph_conv(g, x, layer[0], graph_channels(g, x), pointwise));
    return graph_conv(g, x, layer[1], dimensions, pointwise);
}
