/* Exact sums of gradients: each unit's fp32 gradient is rounded once to int64 fixed point with a
 * power-of-two scale a tensor, and integers add in any order to the same bits.
 *
 * The scale of a step is predicted from the largest element of the step before, with guard bits.
 * What does not fit is left out, and `exponent` tells: the step is repeated with the scale that its
 * own largest element asks for. Not collective: mpi/gradient.h sums over ranks.
 * A non-finite element is left out and marks its tensor. */
#ifndef AUXSEG_NN_GRADIENT_H
#define AUXSEG_NN_GRADIENT_H

#include "src/nn/parameter_blocks.h"

typedef struct gradient {
    const parameters *parameters; /* borrowed */
    int64_t *sum;                 /* [count], fixed point: element = sum * 2^-scale[item] */
    float *value;                 /* [count], after gradient_finish */
    int32_t *scale;     /* [trainable], GRADIENT_UNKNOWN before the first step: it is then measured.
                           State of a run: a checkpoint keeps it, or a resumed run rounds otherwise */
    int32_t *exponent;  /* [trainable], smallest e with every |element of a unit| < 2^e in this
                           step; INT32_MIN: all zero */
    int32_t *nonfinite; /* [trainable], 1: a non-finite element was met in this step */
    int units;          /* of the global batch: bounds the sum */
    double *square;     /* [trainable], sum of value's squares, after gradient_finish */
    parameter_blocks blocks;
    double *part; /* [blocks], of `square` */
    /* A parameter's local sum is complete: communication may begin. May be NULL. */
    void (*ready)(void *context, size_t offset, size_t count);
    void *context;
} gradient;

enum { GRADIENT_UNKNOWN = INT32_MIN };

/* NULL: out of memory. */
gradient *gradient_create(const parameters *p);
/* NULL-safe. */
void gradient_destroy(gradient *g);
/* Memory of its sums and values. */
size_t gradient_bytes(const gradient *g);

/* Zeroes the sums for a step over `units` units of the global batch. */
void gradient_begin(gradient *g, int units);
/* Adds elements [begin, end) of a unit's gradient x [count] of parameter `item`, in PyTorch's
 * layout (x[0] is the parameter's first element). Two threads may add to different items, or to
 * different ranges of one item: exponent and nonfinite are updated atomically. */
void gradient_add(gradient *g, int item, const float *x, size_t begin, size_t end);
/* No unit of this rank adds to the parameter any more: calls the hook. By the main thread. */
void gradient_ready(gradient *g, int item);
/* Whether the step must be repeated, from `exponent` (the maximum over ranks): a scale was unknown,
 * too large for what was met, or so small that accuracy of fp32 is lost. Sets those scales.
 * False where an element was not finite: gradient_finish tells. */
bool gradient_rescale(gradient *g);
/* value = sum * 2^-scale, and its squares; predicts the scales of the next step. `exponent`,
 * `nonfinite` and `sum` are already combined over ranks. STATUS_NONFINITE, naming the parameter, if
 * an element was: then nothing is changed. */
status gradient_finish(gradient *g);
/* Euclidean norm of the finished gradient: the same bits for any number of threads and ranks. */
double gradient_norm(const gradient *g);

#endif
