/* SGD with momentum as in PyTorch: d = g + decay * w; m = momentum * m + d; w -= lr * m.
 * Not collective: every rank does the same on the same gradient. Threads over elements, each
 * element's arithmetic in one order: the same bits for any number of threads. */
#ifndef AUXSEG_NN_OPTIMIZER_H
#define AUXSEG_NN_OPTIMIZER_H

#include "src/nn/parameter.h"

typedef struct sgd {
    double momentum, decay; /* decay: items with `decay` only */
    float *velocity;        /* [count], owned */
} sgd;

status sgd_create(sgd *s, const parameters *p, double momentum, double decay);
void sgd_destroy(sgd *s);
/* rate [2]: learning rate of GROUP_BACKBONE and GROUP_HEAD. gradient [count] borrowed. */
void sgd_step(sgd *s, parameters *p, const float *gradient, const double *rate);

typedef enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_POLYNOMIAL,
    SCHEDULE_COSINE
} schedule_kind;
/* Factor of the base rate at step 0 .. steps - 1: linear warm-up over the first `warmup`
 * steps, (step + 1) / (warmup + 1), then polynomial (1 - t)^power or cosine (1 + cos(pi t)) / 2
 * over the rest, t = (step - warmup) / (steps - warmup). */
double schedule_factor(schedule_kind k, int64_t step, int64_t steps, int64_t warmup, double power);

/* Square root of the sum of squares in float64, in one fixed order: the same bits everywhere. */
double gradient_norm(const float *gradient, size_t count);

#endif
