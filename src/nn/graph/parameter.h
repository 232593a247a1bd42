/* The parameters of a graph: one flat fp32 block of master weights, one of norm statistics.
 * Trainable tensors come first in the order in which the graph declared them; layouts are
 * PyTorch's (a convolution weight is [O, I, kh, kw], a linear one [O, I]). */
#ifndef AUXSEG_NN_GRAPH_PARAMETER_H
#define AUXSEG_NN_GRAPH_PARAMETER_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMETER_NAME = 96, PARAMETER_DIMS = 4 };

/* Learning-rate group: the pretrained encoder, or what was added to it. */
typedef enum parameter_group { GROUP_BACKBONE, GROUP_HEAD } parameter_group;

/* What the initial value is, where no weights are loaded. */
typedef enum parameter_init {
    INIT_ZERO,
    INIT_ONE,
    INIT_KAIMING, /* normal, variance 2 / fan_out: torchvision's ResNet (He et al. 2015) */
    INIT_UNIFORM, /* +-1 / sqrt(fan_in): PyTorch's default for convolution and linear */
} parameter_init;

typedef struct parameter {
    char name[PARAMETER_NAME]; /* torchvision's, "backbone.layer1.0.conv1.weight" */
    int dims;
    int64_t shape[PARAMETER_DIMS];
    size_t offset, count; /* elements, in `value` if trainable, else in `buffer` */
    bool trainable;       /* false: running mean or variance */
    bool decay;           /* weight decay applies: not to norms and biases */
    parameter_group group;
    parameter_init init;
    int fan_in, fan_out;
} parameter;

typedef struct parameters {
    parameter *item; /* [items] */
    int items;
    int trainable;           /* the first `trainable` items are */
    float *value, *buffer;   /* flat blocks, [count] and [buffers] */
    size_t count, buffers;   /* elements */
    int64_t batches_tracked; /* torchvision's num_batches_tracked, one for all norms */
} parameters;

struct graph;

/* Declared by the graph, not yet initialised (zero). Owned by the caller. NULL: out of memory. */
parameters *parameters_create(const struct graph *g);
/* What parameters_create is made of. declared [n], borrowed, in the graph's order: name, dims,
 * shape, trainable, decay, group, init, fan_in, fan_out are read; offset and count are set here.
 * Trainable items come first, otherwise the order is kept. Names are unique (an assert). */
status parameters_from(parameters **out, const parameter *declared, int n);
/* NULL-safe. */
void parameters_destroy(parameters *p);
/* Each item's initial value, keyed by (seed, a hash of its name): independent of which graph it
 * stands in. */
void parameters_initialize(parameters *p, uint64_t seed);
/* Index of a name, or -1. */
int parameters_find(const parameters *p, const char *name);
/* One of two networks in p, or of two parts of one: the items whose names begin with the prefix,
 * under the rest of their names (within), or all others. Parameters of their own that share memory
 * with p: what one writes the other has, but for batches_tracked. The items of each part must stand
 * side by side, as they do where one is built after the other (an assert). */
status parameters_part(parameters **out, const parameters *p, const char *prefix, bool within);
/* Of parameters_part: all but what is p's. NULL-safe. */
void parameters_part_destroy(parameters *part);
/* Copies every item that both have under the same name and shape, and batches_tracked if there is
 * one; returns how many. */
int parameters_copy(parameters *to, const parameters *from);

#endif
