/* Weights are powers of one number, by multiplications from the batch's last unit back: no library
 * function, which might round in another way on another node, and older units fade as they do in
 * the average itself. */
#include "src/nn/plan/moment_sums.h"

#include "src/base/fixed_sum.h"
#include "src/base/memory.h"
#include "src/nn/plan/plan_state.h"

#include <string.h>

status moment_sums_create(moment_sums *out, size_t width) {
    moment_sums s = {.width = width};
    s.exponent = memory_alloc(width, sizeof *s.exponent, "norm statistics");
    s.sum = memory_alloc(width, sizeof *s.sum, "norm statistics");
    *out = s;
    return s.exponent && s.sum ? STATUS_OK : STATUS_FAILED;
}

void moment_sums_destroy(moment_sums *s) {
    memory_free(s->exponent);
    memory_free(s->sum);
    *s = (moment_sums){0};
}

/* What is left of a value when `units` more have come in. */
static double fade(int units) {
    double rest = 1;
    for (int u = 0; u < units; u++) rest *= 1 - NORM_MOMENTUM;
    return rest;
}

void moment_sums_begin(moment_sums *s, const double *moments, int units) {
    for (size_t i = 0; i < s->width; i++) s->exponent[i] = FIXED_ZERO;
    memset(s->sum, 0, s->width * sizeof *s->sum);
    for (int u = 0; u < units; u++)
        fixed_exponents(moments + (size_t)u * s->width, s->width, s->exponent);
}

void moment_sums_add(moment_sums *s, const double *moments, int units, int after) {
    /* One chain of products from the batch's end on, whoever computes a part of it. */
    double rest = fade(after);
    for (int u = units - 1; u >= 0; u--) {
        double weight = NORM_MOMENTUM * rest;
        const double *x = moments + (size_t)u * s->width;
        for (size_t i = 0; i < s->width; i++)
            s->sum[i] += fixed_from(weight * x[i], s->exponent[i], FIXED_SUM_BITS);
        rest *= 1 - NORM_MOMENTUM;
    }
}

void moment_sums_move(const moment_sums *s, size_t at, size_t n, int units, float *running) {
    double rest = fade(units);
    for (size_t i = 0; i < n; i++) {
        double moved = fixed_value(s->sum[at + i], s->exponent[at + i], FIXED_SUM_BITS);
        running[i] = (float)(rest * running[i] + moved);
    }
}
