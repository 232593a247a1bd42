/* What an optimiser does to n elements, in one pass. Each element by itself and in one order. True
 * if all that was written is finite: asked where it stands in registers. Not collective. */
#ifndef AUXSEG_NN_GRAPH_OPTIMIZER_RULE_H
#define AUXSEG_NN_GRAPH_OPTIMIZER_RULE_H

#include <stdbool.h>
#include <stddef.h>

/* m = momentum * m + inner * (clip * g + decay * w); w -= outer * m.
 * SGD: inner 1, outer the learning rate; LARS: the other way round. */
typedef struct momentum_rule {
    float clip, decay, momentum, inner, outer;
} momentum_rule;

bool momentum_rule_apply(const momentum_rule *r, float *restrict w, float *restrict m,
    const float *restrict g, size_t n);

/* w *= keep; g *= clip; mean += fresh_mean * (g - mean);
 * square = beta2 * square + fresh_square * g * g;
 * w -= rate * mean / (sqrt(square) * unbias + epsilon). */
typedef struct adamw_rule {
    float clip, keep, fresh_mean, beta2, fresh_square, unbias, epsilon, rate;
} adamw_rule;

bool adamw_rule_apply(const adamw_rule *r, float *restrict w, float *restrict mean,
    float *restrict square, const float *restrict g, size_t n);

#endif
