/* The projection head of contrastive pretraining (Chen, Kornblith, Norouzi, Hinton 2020): two 1x1
 * convolutions with a ReLU between, NAME.0 and NAME.2. Not collective. */
#ifndef AUXSEG_MODEL_PROJECTION_H
#define AUXSEG_MODEL_PROJECTION_H

#include "src/nn/graph/graph.h"

/* The hidden layer is as wide as x. The embeddings [H, W, dimensions] are not normalised. */
value projection_build(graph *g, value x, const char *name, int dimensions);

#endif
