/* The head of FCN (Long, Shelhamer, Darrell 2015) as in torchvision's FCNHead. Not collective. */
#ifndef AUXSEG_MODEL_FCN_H
#define AUXSEG_MODEL_FCN_H

#include "src/nn/graph/graph.h"

/* The head body: "classifier.0" and ".1". channels 0: a quarter of x's. The classifier that
 * follows is "classifier.4". */
value fcn_body(graph *g, value x, int channels);

#endif
