/* A graph made ready to run for one image shape, data type and mode: primitives created (each for
 * one image and one thread), weights packed, memory laid out. After plan_create no primitive is
 * created and no memory allocated.
 *
 * Not collective, but for PLAN_TRAIN with NORM_SYNC, where `exchange` is.
 * An image's arithmetic never depends on the other images (but through norm statistics), the
 * threads or the ranks: the same bits for any number of both. */
#ifndef AUXSEG_NN_PLAN_PLAN_H
#define AUXSEG_NN_PLAN_PLAN_H

#include "src/base/dtype.h"
#include "src/nn/graph/graph.h"
#include "src/nn/graph/exact_gradient.h"
#include "src/nn/plan/moment_sums.h"

typedef enum plan_mode {
    PLAN_INFER, /* norms folded into convolutions by their running statistics, no gradient */
    PLAN_TRAIN,
} plan_mode;

typedef enum norm_mode {
    NORM_GROUP,  /* statistics over each unit of `group` consecutive images of the global batch */
    NORM_SYNC,   /* over the whole global batch */
    NORM_FROZEN, /* running statistics; weight and bias are still trained */
} norm_mode;

typedef enum recompute_mode {
    RECOMPUTE_NONE,
    RECOMPUTE_BLOCKS, /* of a residual block only the end is kept for the backward pass; the rest is
                         computed again, to the same bits: less memory, a third more time */
} recompute_mode;

typedef struct plan_options {
    int height, width; /* of the input */
    dtype type;
    plan_mode mode;
    norm_mode norm; /* PLAN_TRAIN only */
    int group;      /* images of a unit under NORM_GROUP; a unit is one image otherwise */
    int images;     /* most images of one call, all held in memory at once */
    int batch;      /* images of the global batch: those whose statistics NORM_SYNC combines */
    int threads;
    recompute_mode recompute; /* PLAN_TRAIN only */
    bool direct;              /* convolutions by oneDNN's direct kernels alone: no Winograd */
    dtype products;           /* arithmetic of the other convolutions' matrix products */
    bool tiles; /* those in bf16 by AMX's tiles: which kernels pay is another question */
} plan_options;

/* What crosses ranks under NORM_SYNC: integers, n of them from every rank to all, in place: their
 * maximum, their sum. NULL functions: this rank has the whole batch. */
typedef struct norm_exchange {
    void (*max)(void *context, int32_t *x, size_t n);
    void (*sum)(void *context, int64_t *x, size_t n);
    void *context;
    int images; /* of the global batch */
} norm_exchange;

/* What a step's random numbers and norm units are keyed by. */
typedef struct step_context {
    uint64_t seed, step;
    int first; /* index in the global batch of this rank's first image; starts a unit */
    norm_exchange exchange;
    bool more; /* more of this rank's images add to the gradient after these: no parameter is
                  complete yet. Not under NORM_SYNC. */
    /* Called by the main thread now and then while it computes: polls communication. May be NULL.
     */
    void (*poll)(void *context);
    void *poll_context;
} step_context;

typedef struct plan plan;

/* `g` and `p` are borrowed for the plan's life; plans of several shapes may share them.
 * STATUS_FAILED with a message when oneDNN refuses or memory is short; STATUS_USAGE where a norm
 * would take statistics of a single value a channel. */
status plan_create(plan **out, const graph *g, parameters *p, plan_options o);
/* NULL-safe. */
void plan_destroy(plan *p);

/* Weights (and in PLAN_INFER norm statistics) changed: pack them again. plan_create has done it
 * once. */
status plan_pack(plan *p);

/* fp32 [H, W, C] of image i, written by the caller before plan_forward. */
float *plan_input(plan *p, int image);
/* Exchanges the inputs [images, H, W, C] with the caller's, of the same size and from memory_alloc:
 * a batch that is ready need not be copied. */
void plan_swap_input(plan *p, float **input);

/* Images 0 .. images - 1. In PLAN_TRAIN running statistics are not touched: plan_commit does. */
status plan_forward(plan *p, int images, const step_context *c);

/* fp32 [h, w, C] of an output after plan_forward. */
const float *plan_output(const plan *p, int output, int image);
void plan_output_shape(const plan *p, int output, int *height, int *width, int *channels);

/* fp32 [h, w, C], written by the caller before plan_backward (zero where nothing flows). */
float *plan_output_gradient(plan *p, int output, int image);

/* Adds each unit's gradient to `total` (exact_gradient.h), after plan_forward of the same images.
 * `c` is needed, of the same step. Calls gradient_open before units add to a parameter, and
 * gradient_ready when it is complete, last layers first. A batch may pass in waves, each by a
 * forward and a backward pass of its images: c->more says that others follow, and the gradient is
 * the same bits for any waves of whole units, in any order. */
status plan_backward(plan *p, int images, const step_context *c, gradient *total);

/* Running statistics. Of the last forward pass's own units: moments [units, width] is written, per
 * unit the means and unbiased variances of every norm, in order. */
size_t plan_moments_width(const plan *p);
int plan_units(const plan *p, int images);
void plan_moments(const plan *p, double *moments);
/* Moves them by the sums over all `units` of the batch, which are those of all ranks. */
void plan_commit(plan *p, const moment_sums *s, int units);

/* Whether the passes that follow are timed, operator by operator; begins anew. */
void plan_time(plan *p, bool on);
/* The times since then as a table, a step of `steps`, the convolutions each with its algorithms. */
void plan_print_times(const plan *p, int steps);

/* Logs the convolutions' shapes, each with the algorithms of its passes and how many there are. */
void plan_log(const plan *p);

/* Bytes of memory that the plan holds. */
size_t plan_bytes(const plan *p);
/* Those of them that are packed weights: the others grow with the pixels of an image. */
size_t plan_packed_bytes(const plan *p);
/* Most bytes that each of `images` adds to those of a plan in PLAN_TRAIN, found without making one:
 * activations, input, outputs, norm statistics. STATUS_FAILED as plan_create. */
status plan_image_bytes(const graph *g, parameters *p, plan_options o, size_t *bytes);

/* True where this processor computes in `t` at oneDNN's full support. */
bool plan_supports(dtype t);
/* True where bf16 arithmetic is known to be the faster one on this processor, from what it is. */
bool plan_fast_bf16(void);
/* True where it is so by AMX's tiles. */
bool plan_bf16_tiles(void);
/* This processor, and why plan_fast_bf16 says so: text is written. */
void plan_processor(char *text, size_t size);
/* oneDNN's version and instruction set, for --version and run.json: text is written. */
void plan_describe(char *text, size_t size);

#endif
