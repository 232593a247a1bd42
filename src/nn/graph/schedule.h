/* The course of the learning rate. */
#ifndef AUXSEG_NN_GRAPH_SCHEDULE_H
#define AUXSEG_NN_GRAPH_SCHEDULE_H

#include <stdint.h>

typedef enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_POLYNOMIAL,
    SCHEDULE_COSINE
} schedule_kind;

/* Factor of the base rate at step 0 .. steps - 1: linear warm-up over the first `warmup`
 * steps, (step + 1) / (warmup + 1), then polynomial (1 - t)^power or cosine (1 + cos(pi t)) / 2
 * over the rest, t = (step - warmup) / (steps - warmup). */
double schedule_factor(schedule_kind k, int64_t step, int64_t steps, int64_t warmup, double power);

#endif
