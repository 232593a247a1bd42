/* Exact sums of gradients: each unit's fp32 gradient is rounded once to int64 fixed point with a
 * power-of-two scale a tensor, and integers add in any order to the same bits.
 *
 * The scale of a step is predicted from the largest element of the step before, with guard bits.
 * What does not fit is left out, and `exponent` tells: the step is repeated with the scale that its
 * own largest element asks for. Not collective: mpi/gradient_sync.h sums over ranks.
 * A non-finite element is left out and marks its tensor.
 *
 * Sums take twice the memory of the values, so they are held by chunks (gradient_chunks.h), and
 * only while they are needed: from gradient_open of the first parameter in a chunk to
 * gradient_convert. A step is gradient_begin, { gradient_open, gradient_add ..., gradient_ready } a
 * parameter, gradient_rescale, gradient_finish; the hooks convert and complete chunks early;
 * gradient_finish does the rest. The values are the same bits for any size of the chunks. */
#ifndef AUXSEG_NN_GRAPH_EXACT_GRADIENT_H
#define AUXSEG_NN_GRAPH_EXACT_GRADIENT_H

#include "src/nn/graph/gradient_chunks.h"

typedef struct gradient {
    const parameters *parameters; /* borrowed */
    gradient_chunks chunks;       /* sums in fixed point: element = sum * 2^-scale[item] */
    int *chunk;                   /* [trainable], the one of the parameter's first element */
    float *value;                 /* [count], after gradient_finish */
    int32_t *scale;     /* [trainable], GRADIENT_UNKNOWN before the first step: it is then measured.
                           State of a run: kept by a checkpoint, or a resumed run differs */
    int32_t *exponent;  /* [trainable], smallest e with every |element of a unit| < 2^e in this
                           step; INT32_MIN: all zero */
    int32_t *nonfinite; /* [trainable], 1: a non-finite element was met in this step */
    int units;          /* of the global batch: bounds the sum */
    double *square;     /* [trainable], sum of value's squares, after gradient_finish */
    parameter_blocks blocks;
    double *part; /* [blocks], of `square` */
    /* A parameter's local sum is complete: communication may begin. May be NULL. */
    void (*ready)(void *context, size_t offset, size_t count);
    /* A chunk is about to take memory that none has had before: the time to convert chunks that
     * are complete. May be NULL. */
    void (*growing)(void *context);
    void *context;
} gradient;

enum {
    GRADIENT_UNKNOWN = INT32_MIN,
    GRADIENT_CHUNK = 8 << 20, /* bytes of sums: long enough a message, and few are held */
};

/* bytes: of the sums of a chunk, the same on every rank; less than 2 GiB are taken.
 * NULL: out of memory. */
gradient *gradient_create(const parameters *p, size_t bytes);
/* NULL-safe. */
void gradient_destroy(gradient *g);
/* Memory of its values, and of as many chunks as have been held at once so far; before the first
 * step, as the largest parameter needs. */
size_t gradient_bytes(const gradient *g);

/* A step over `units` units of the global batch: all sums are zero, and no chunk is held. */
void gradient_begin(gradient *g, int units);
/* Units will add to parameter `item`: its chunks are held from now on. Not after their conversion.
 * By the main thread outside of parallel regions; again: no effect. */
void gradient_open(gradient *g, int item);
/* The same for one chunk. */
void gradient_open_chunk(gradient *g, int k);
/* Adds elements [begin, end) of a unit's gradient x [count] of parameter `item`, in PyTorch's
 * layout (x[0] is the parameter's first element), after gradient_open. Two threads may add to
 * different items, or to different ranges of one item: exponent and nonfinite are updated
 * atomically. */
void gradient_add(gradient *g, int item, const float *x, size_t begin, size_t end);
/* No unit of this rank adds to the parameter any more: calls the hook. By the main thread, outside
 * of parallel regions. */
void gradient_ready(gradient *g, int item);
/* Elements [begin, end) of chunk k have their sums over all ranks: value = sum * 2^-scale by the
 * step's scales, on all threads; the chunk's memory is given back. A chunk that was not opened is
 * zero. Once a step. By the main thread, outside of parallel regions. */
void gradient_convert(gradient *g, int k, size_t begin, size_t end);
/* After that, when the values of all other elements have been written, too, from where they were
 * converted: the blocks' squares. Once a step. By the main thread, outside of parallel regions. */
void gradient_complete(gradient *g, int k);
/* [count of chunk k], its values. */
float *gradient_values(const gradient *g, int k);
/* Whether the step must be repeated, from `exponent` (the maximum over ranks): a scale was unknown,
 * too large for what was met, or so small that accuracy of fp32 is lost. Sets those scales.
 * False where an element was not finite: gradient_finish tells. */
bool gradient_rescale(gradient *g);
/* After gradient_rescale said no: converts the chunks that are left, sums the squares, predicts the
 * scales of the next step. `exponent`, `nonfinite` and the sums are already combined over ranks.
 * STATUS_NONFINITE, without a message, if an element was: scales are as before; values and squares
 * mean nothing, as after a step that has to be repeated. */
status gradient_finish(gradient *g);
/* Name of the first parameter whose gradient was not finite in this step, over all ranks once they
 * are combined; NULL: none. */
const char *gradient_fault(const gradient *g);
/* Euclidean norm of the finished gradient: the same bits for any number of threads and ranks. */
double gradient_norm(const gradient *g);

#endif
