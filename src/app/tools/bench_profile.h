/* When things happen within a training step, for forecasts (mpi/forecast/profile.h): measured on
 * one rank of one thread, in processor time, the step whose time is the median. Steps of some
 * images and of twice as many tell what a step takes once, whatever its images. Not collective. */
#ifndef AUXSEG_APP_TOOLS_BENCH_PROFILE_H
#define AUXSEG_APP_TOOLS_BENCH_PROFILE_H

#include "src/nn/graph/exact_gradient.h"

typedef struct bench_profile bench_profile;

/* Ends of a step's parts, in their order. */
typedef enum bench_part {
    BENCH_FORWARD,
    BENCH_LOSS,
    BENCH_BACKWARD,
    BENCH_OPTIMIZER,
    BENCH_PARTS
} bench_part;

/* p is borrowed; norms: channels of all norms. NULL, as which the others are called where there is
 * no profile, is nothing. */
status bench_profile_create(bench_profile **out, const parameters *p, size_t norms);
void bench_profile_destroy(bench_profile *b);
/* A step begins, and its gradient has: calls of its `ready` are noted, and handed on. */
void bench_profile_begin(bench_profile *b, gradient *g);
/* A part of the step ends; the last one ends the step. */
void bench_profile_mark(bench_profile *b, bench_part part);
/* Seconds that this thread has run. */
double bench_processor_time(void);
/* A new file: steps of `images` images, and of twice as many. */
status bench_profile_write(
    const bench_profile *b, const bench_profile *twice, const char *path, int images);
/* One more line of it. */
status bench_profile_add(const char *path, const char *name, double value);

#endif
