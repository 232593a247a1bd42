/* Exact sums of gradients: each unit's fp32 gradient is rounded once to int64 fixed point with a
 * power-of-two scale a tensor, and integers add in any order to the same bits.
 *
 * The scale of a step is predicted from the largest element of the step before, with guard bits;
 * what does not fit sets `overflow`, and the step is repeated with the scale that its own largest
 * element asks for. Not collective: mpi/gradient.h sums over ranks.
 * A non-finite element sets `nonfinite` and is left out. */
#ifndef AUXSEG_NN_GRADIENT_H
#define AUXSEG_NN_GRADIENT_H

#include "src/nn/parameter.h"

typedef struct gradient {
    const parameters *parameters; /* borrowed */
    int64_t *sum;                 /* [count], fixed point: element = sum * 2^-scale[item] */
    float *value;                 /* [count], after gradient_finish */
    int32_t *scale; /* [trainable], GRADIENT_UNKNOWN before the first step: it is then measured */
    int32_t *exponent; /* [trainable], smallest e with every |element of a unit| < 2^e in this step;
                          INT32_MIN: all zero */
    int32_t *bad;      /* [trainable], 1 overflow, 2 non-finite, in this step */
    int units;         /* of the global batch: bounds the sum */
    /* A parameter's local sum is complete: communication may begin. May be NULL. */
    void (*ready)(void *context, size_t offset, size_t count);
    void *context;
} gradient;

enum { GRADIENT_UNKNOWN = INT32_MIN };

gradient *gradient_create(const parameters *p);
/* NULL-safe. */
void gradient_destroy(gradient *g);

/* Zeroes the sums for a step over `units` units. */
void gradient_begin(gradient *g, int units);
/* Adds a unit's gradient of parameter `item`, x [count] in PyTorch's layout. Two threads may add to
 * different items, or to different ranges [begin, end) of one item if each merges its own
 * exponent and bad flags by calling this (they are updated atomically). */
void gradient_add(gradient *g, int item, const float *x, size_t begin, size_t end);
/* A scale is unknown or too large for what was met: the step must be repeated after this call,
 * which sets the scales from `exponent` (already the maximum over ranks). Returns whether it must.
 */
bool gradient_rescale(gradient *g);
/* value = sum * 2^-scale; predicts the scales of the next step. `exponent`, `bad` and `sum` are
 * already combined over ranks. STATUS_NONFINITE with the parameter's name if an element was. */
status gradient_finish(gradient *g);

#endif
