/* Small graphs, the same as in tests/fixtures/make_operators.py, and what runs them. */
#ifndef AUXSEG_TESTS_NN_PLAN_OPERATORS_H
#define AUXSEG_TESTS_NN_PLAN_OPERATORS_H

#include "src/nn/plan/plan.h"

enum { IMAGES = 4, HEIGHT = 7, WIDTH = 5, CHANNELS = 8, GROUP = 2, WIDE = 16 };

typedef struct operator_case {
    const char *name;
    norm_mode norm;
    int channels; /* of the input: the first of CHANNELS */
    void (*build)(graph *g, value x);
    bool chain; /* several layers: in bfloat16 the sign of a ReLU's input may differ */
} operator_case;

/* Ends with an item without a name. */
extern const operator_case operator_cases[];

/* x [count]: the fixture's pseudo-random numbers of this key. */
void operator_values(const char *key, float *x, size_t count);

/* A case made ready: parameters, plan, gradient, input images. */
typedef struct operator_run {
    graph *g;
    parameters *p;
    plan *plan;
    gradient *gradient;
    int64_t *sum; /* [count], the gradient's sums at the end of operator_batch */
} operator_run;

/* Aborts the test when something cannot be created. */
operator_run operator_create(const operator_case *c, plan_options o);
void operator_destroy(operator_run *r);
/* Forward and backward of images first .. first + images - 1 of the batch, added to the gradient.
 */
void operator_step(operator_run *r, int first, int images, const step_context *c);
/* A whole batch: the step, repeated until the gradient's scales fit. `deal` images at a time. */
void operator_batch(operator_run *r, const operator_case *c, int deal);
/* The gradient's sums so far to r->sum: a step that has not been finished. */
void operator_sums(operator_run *r);
void operator_fill(operator_run *r, const operator_case *c, int first, int images);

#endif
