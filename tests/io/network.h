/* A few parameters as a network has them: weights, norms, a head. */
#ifndef AUXSEG_TESTS_IO_NETWORK_H
#define AUXSEG_TESTS_IO_NETWORK_H

#include "src/nn/graph/parameter.h"

#include <string.h>

static inline parameters *network_create(uint64_t seed, int classes) {
    parameter declared[] = {
        {.name = "backbone.conv1.weight", .dims = 4, .shape = {8, 3, 3, 3}, .trainable = true},
        {.name = "backbone.bn1.weight", .dims = 1, .shape = {8}, .trainable = true},
        {.name = "backbone.bn1.bias", .dims = 1, .shape = {8}, .trainable = true},
        {.name = "backbone.bn1.running_mean", .dims = 1, .shape = {8}},
        {.name = "backbone.bn1.running_var", .dims = 1, .shape = {8}},
        {.name = "classifier.1.running_mean", .dims = 1, .shape = {5}},
        {.name = "classifier.4.weight", .dims = 2, .shape = {classes, 8}, .trainable = true},
        {.name = "classifier.4.bias", .dims = 1, .shape = {classes}, .trainable = true},
    };
    int n = (int)(sizeof declared / sizeof *declared);
    for (int i = 0; i < n; i++) {
        declared[i].init = i == 0 ? INIT_KAIMING : INIT_UNIFORM;
        declared[i].fan_in = declared[i].fan_out = 8;
    }
    parameters *p = NULL;
    if (parameters_from(&p, declared, n) != STATUS_OK) return NULL;
    parameters_initialize(p, seed);
    for (size_t i = 0; i < p->buffers; i++) p->buffer[i] = (float)i + (float)seed;
    p->batches_tracked = (int64_t)seed * 10;
    return p;
}

static inline int network_same(const parameters *a, const parameters *b) {
    return memcmp(a->value, b->value, a->count * sizeof *a->value) == 0 &&
           memcmp(a->buffer, b->buffer, a->buffers * sizeof *a->buffer) == 0;
}

#endif
