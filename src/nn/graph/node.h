/* The inside of a graph, for graph.c and the plan. */
#ifndef AUXSEG_NN_GRAPH_NODE_H
#define AUXSEG_NN_GRAPH_NODE_H

#include "src/nn/graph/graph.h"

typedef enum node_kind {
    NODE_INPUT,
    NODE_CONV, /* linear too */
    NODE_NORM,
    NODE_RELU,
    NODE_ADD,
    NODE_CONCAT,
    NODE_MAX_POOL,
    NODE_AVERAGE_POOL,
    NODE_GLOBAL_POOL,
    NODE_RESIZE,
    NODE_DROPOUT,
    NODE_EMBED,
    NODE_LAYER_NORM,
    NODE_ATTENTION,
    NODE_MLP,
    NODE_SCALE,
    NODE_PATCHES,
    NODE_KINDS,
} node_kind;

/* A node computes the value of its own index; its inputs have lower ones. */
typedef struct node {
    node_kind kind;
    value input[GRAPH_CONCAT];
    int inputs; /* resize: the second one gives height and width only */
    int channels;
    int pitch; /* pixels of the image between two of its own, in a row */
    bool relu, ceil;
    int kernel, stride, dilation, padding; /* convolution and pooling */
    double probability;
    int weight, bias, mean, variance; /* declared parameters, or -1 */
    /* Of transformers, whose values are tokens [T, 1, C]. */
    patch_embed tokens;             /* NODE_EMBED */
    int first, registers, position; /* its declared parameters: class token, registers, positions;
                                       registers -1: none */
    int heads;                      /* NODE_ATTENTION */
    int hidden;                     /* NODE_MLP: channels between its products */
    int weight2, bias2, scale;      /* parameters of the second one; scale -1: none */
    int channel, prefix; /* NODE_PATCHES: the first channel, and tokens before those of patches */
} node;

struct graph {
    node *node;
    int nodes, node_capacity;
    parameter *declared;
    int declarations, declared_capacity;
    value *output;
    int outputs, output_capacity;
    parameter_group group;
    const char *prefix; /* of parameters' names */
    status state;
};

#endif
