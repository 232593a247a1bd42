/* What the three optimisers share (a pass over blocks, clipping, state) and in what they differ:
 * the factors of an element's rule, worked out in float64 for each tensor.
 *
 * Gradient, weights and state are fp32; what is one number a tensor (norms, rates, corrections) is
 * float64 and rounded to fp32 once, where it becomes a factor of the rule. Every rank calls
 * optimizer_step with the same gradient and comes to the same weights, so that weights are never
 * exchanged. */
#include "src/nn/graph/optimizer.h"

#include "src/base/memory.h"
#include "src/nn/graph/optimizer_rule.h"

#include <math.h>
#include <string.h>

/* The state's names are part of the format of checkpoints. */
static const struct {
    const char *name;
    int states;
    const char *state[OPTIMIZER_STATES];
} kinds[] = {
    [OPTIMIZER_SGD] = {"sgd", 1, {"optimizer.sgd.momentum"}},
    [OPTIMIZER_LARS] = {"lars", 1, {"optimizer.lars.momentum"}},
    [OPTIMIZER_ADAMW] = {"adamw", 2, {"optimizer.adamw.mean", "optimizer.adamw.square"}},
};

const char *optimizer_name(optimizer_kind k) {
    return kinds[k].name;
}

const char *optimizer_state_name(const optimizer *o, int i) {
    return kinds[o->o.kind].state[i];
}

size_t optimizer_bytes(const optimizer *o, const parameters *p) {
    return (size_t)o->states * p->count * sizeof *o->state[0];
}

status optimizer_create(optimizer *o, const parameters *p, const optimizer_options *options) {
    *o = (optimizer){.o = *options, .states = kinds[options->kind].states};
    status st = parameter_blocks_create(&o->blocks, p);
    for (int i = 0; st == STATUS_OK && i < o->states; i++) {
        o->state[i] = memory_alloc(p->count, sizeof *o->state[i], "state of the optimiser");
        if (!o->state[i]) st = STATUS_FAILED;
    }
    if (st == STATUS_OK && options->kind == OPTIMIZER_LARS) {
        o->part = memory_alloc((size_t)o->blocks.count, sizeof *o->part, "norms of weights");
        o->square = memory_alloc((size_t)p->trainable, sizeof *o->square, "norms of weights");
        if (!o->part || !o->square) st = STATUS_FAILED;
    }
    if (st != STATUS_OK) optimizer_destroy(o);
    return st;
}

void optimizer_destroy(optimizer *o) {
    if (!o) return;
    parameter_blocks_destroy(&o->blocks);
    for (int i = 0; i < OPTIMIZER_STATES; i++) memory_free(o->state[i]);
    memory_free(o->part);
    memory_free(o->square);
    *o = (optimizer){0};
}

/* PyTorch's clip_grad_norm_. The norm is over all tensors, those without decay too; it has been
 * summed as the gradient was made of its exact sums. */
static double clip_factor(const optimizer *o, const gradient *g) {
    if (o->o.clip <= 0) return 1.0;
    return fmin(1.0, o->o.clip / (gradient_norm(g) + 1e-6));
}

/* Only of tensors that LARS adapts. o->part of the blocks, then o->square of the items, in one
 * order whatever thread takes which block. It reads the weights as they are before this step. */
static void sum_weights(optimizer *o, const parameters *p) {
#pragma omp parallel for schedule(static)
    for (int i = 0; i < o->blocks.count; i++) {
        const parameter_block *b = &o->blocks.at[i];
        o->part[i] = p->item[b->item].decay ? sum_of_squares(p->value + b->offset, b->count) : 0.0;
    }
    parameter_blocks_sum(&o->blocks, o->part, o->square);
}

/* LARS's local learning rate of a tensor. The gradient's norm is that of the clipped one, as the
 * rule sees it. */
static double local_rate(const optimizer *o, const gradient *g, int item, double clip) {
    if (!g->parameters->item[item].decay) return 1.0;
    double w = sqrt(o->square[item]), d = clip * sqrt(g->square[item]) + o->o.decay * w;
    return w > 0 && d > 0 ? o->o.trust * w / d : 1.0;
}

/* SGD and LARS are one rule: SGD's learning rate is applied to the momentum (outer), LARS's as the
 * gradient enters it (inner), so that a rate that falls later does not shrink what was gathered
 * before. */
static momentum_rule momentum_of(
    const optimizer *o, const gradient *g, int item, double clip, double rate) {
    bool lars = o->o.kind == OPTIMIZER_LARS;
    return (momentum_rule){.clip = (float)clip,
        .decay = g->parameters->item[item].decay ? (float)o->o.decay : 0.0f,
        .momentum = (float)o->o.momentum,
        .inner = lars ? (float)(rate * local_rate(o, g, item, clip)) : 1.0f,
        .outer = lars ? 1.0f : (float)rate};
}

/* In float64: 1 - beta2^t loses most of its bits in fp32 in the first steps. */
static adamw_rule adamw_of(const optimizer *o, bool decay, double clip, double rate, int64_t step) {
    double t = (double)step + 1;
    return (adamw_rule){.clip = (float)clip,
        .keep = decay ? (float)(1.0 - rate * o->o.decay) : 1.0f,
        .fresh_mean = (float)(1.0 - o->o.beta1),
        .beta2 = (float)o->o.beta2,
        .fresh_square = (float)(1.0 - o->o.beta2),
        .unbias = (float)(1.0 / sqrt(1.0 - pow(o->o.beta2, t))),
        .epsilon = (float)o->o.epsilon,
        .rate = (float)(rate / (1.0 - pow(o->o.beta1, t)))};
}

/* One pass: a block's weights, state and gradient are read and written once. Factors of a tensor
 * are worked out anew for each of its blocks, which is nothing beside 16,384 elements. Blocks do
 * not overlap: threads share nothing that they write. */
bool optimizer_step(
    optimizer *o, parameters *p, const gradient *g, const double *rate, int64_t step) {
    double clip = clip_factor(o, g);
    bool finite = true;
    if (o->o.kind == OPTIMIZER_LARS) sum_weights(o, p);
#pragma omp parallel for schedule(static) reduction(&& : finite)
    for (int i = 0; i < o->blocks.count; i++) {
        const parameter_block *b = &o->blocks.at[i];
        const parameter *item = &p->item[b->item];
        const float *d = g->value + b->offset;
        float *w = p->value + b->offset, *first = o->state[0] + b->offset;
        if (o->o.kind == OPTIMIZER_ADAMW) {
            adamw_rule r = adamw_of(o, item->decay, clip, rate[item->group], step);
            finite &= adamw_rule_apply(&r, w, first, o->state[1] + b->offset, d, b->count);
        } else {
            momentum_rule r = momentum_of(o, g, b->item, clip, rate[item->group]);
            finite &= momentum_rule_apply(&r, w, first, d, b->count);
        }
    }
    return finite;
}
