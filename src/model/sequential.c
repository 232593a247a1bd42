/* The one step that all heads repeat: convolution, norm, ReLU, named as members of a PyTorch
 * Sequential are numbered. */
#include "src/model/sequential.h"

#include <stdio.h>

value sequential_conv(graph *g, value x, const char *prefix, int first, int channels, conv c) {
    char weight[PARAMETER_NAME], norm[PARAMETER_NAME];
    snprintf(weight, sizeof weight, "%s.%d", prefix, first);
    snprintf(norm, sizeof norm, "%s.%d", prefix, first + 1);
    c.init = INIT_UNIFORM;
    return graph_norm(g, graph_conv(g, x, weight, channels, c), norm, true);
}
