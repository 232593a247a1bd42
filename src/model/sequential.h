/* What the heads are made of. Not collective. */
#ifndef AUXSEG_MODEL_SEQUENTIAL_H
#define AUXSEG_MODEL_SEQUENTIAL_H

#include "src/nn/graph/graph.h"

/* Convolution without bias, batch norm, ReLU: torchvision's Sequential whose members number
 * `first`, first + 1 and (without parameters) first + 2: prefix.0, prefix.1.
 * Initialised as PyTorch does by default. */
value sequential_conv(graph *g, value x, const char *prefix, int first, int channels, conv c);

#endif
