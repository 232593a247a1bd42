/* The times of the last steps are kept, and those of the one whose length is in the middle are
 * written. The hook stands before that of the exchange: conversion to floats, which follows on one
 * rank at once, counts to the parameter after it. */
#include "src/app/tools/bench_profile.h"

#include "mpi/exact_sum.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STEPS = 64, TERMS = 1 << 20, PASSES = 5 };

typedef struct ready {
    size_t offset, count;
    double seconds;
} ready;

struct bench_profile {
    const parameters *p;
    size_t norms;
    int steps;                      /* that are complete: the last STEPS are kept */
    double end[STEPS][BENCH_PARTS]; /* seconds since the step began */
    ready *event;                   /* [STEPS, trainable] */
    int events;                     /* of this step */
    double began;
    void (*next)(void *context, size_t offset, size_t count);
    void *context;
};

/* Of this thread alone, as all is done by one: what others do on its core meanwhile does not
 * count. */
double bench_processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

status bench_profile_create(bench_profile **out, const parameters *p, size_t norms) {
    bench_profile *b = memory_alloc(1, sizeof *b, "profile");
    if (!b) return STATUS_FAILED;
    b->p = p;
    b->norms = norms;
    b->event = memory_alloc((size_t)STEPS * (size_t)p->trainable, sizeof *b->event, "profile");
    *out = b;
    return b->event ? STATUS_OK : STATUS_FAILED;
}

void bench_profile_destroy(bench_profile *b) {
    if (!b) return;
    memory_free(b->event);
    memory_free(b);
}

static ready *events_of(const bench_profile *b, int step) {
    return b->event + (size_t)(step % STEPS) * (size_t)b->p->trainable;
}

static void note(void *profile, size_t offset, size_t count) {
    bench_profile *b = profile;
    if (b->events < b->p->trainable)
        events_of(b, b->steps)[b->events++] =
            (ready){offset, count, bench_processor_time() - b->began};
    b->next(b->context, offset, count);
}

/* The hooks share a context: that of the exchange's `growing`, which needs its own, is not called
 * on one rank. */
void bench_profile_begin(bench_profile *b, gradient *g) {
    if (!b) return;
    b->next = g->ready;
    b->context = g->context;
    g->ready = note;
    g->growing = NULL;
    g->context = b;
    b->events = 0;
    b->began = bench_processor_time();
}

void bench_profile_mark(bench_profile *b, bench_part part) {
    if (!b) return;
    b->end[b->steps % STEPS][part] = bench_processor_time() - b->began;
    if (part == BENCH_OPTIMIZER) b->steps++;
}

/* Of the steps that are kept, but for the first, which warms up. */
static int middle(const bench_profile *b) {
    int first = b->steps > STEPS ? b->steps - STEPS : b->steps > 1, best = first;
    for (int i = first; i < b->steps; i++) {
        int below = 0, equal = 0, all = b->steps - first;
        for (int j = first; j < b->steps; j++) {
            double other = b->end[j % STEPS][BENCH_OPTIMIZER];
            below += other < b->end[i % STEPS][BENCH_OPTIMIZER];
            equal += other <= b->end[i % STEPS][BENCH_OPTIMIZER];
        }
        if (below <= all / 2 && equal > all / 2) best = i;
    }
    return best;
}

/* Seconds to add one element to another; 0: out of memory, with a message. */
static double addition(void) {
    int64_t *x = memory_alloc(2 * (size_t)TERMS, sizeof *x, "profile");
    double best = 0;
    for (int k = 0; x && k < PASSES; k++) {
        double now = bench_processor_time();
        exact_sum_add(x, x + TERMS, TERMS);
        double seconds = bench_processor_time() - now;
        if (k == 0 || seconds < best) best = seconds;
    }
    memory_free(x);
    return best / TERMS;
}

static status close_file(FILE *f, const char *path) {
    bool good = f && !ferror(f);
    if (f && fclose(f) != 0) good = false;
    if (good) return STATUS_OK;
    log_error("%s: %s", path, strerror(errno));
    return STATUS_OUTPUT;
}

/* Of a part that takes `one` in a step and `two` in one of twice the images: what it takes once.
 * Measurements err: no less than nothing, no more than all. */
static double once(double one, double two) {
    double rest = 2 * one - two;
    return rest < 0 ? 0 : rest > one ? one : rest;
}

static double part_of(const double *end, bench_part part) {
    return end[part] - (part == BENCH_FORWARD ? 0 : end[part - 1]);
}

static void write_part(
    FILE *f, const char *name, bench_part part, const double *end, const double *twice) {
    double one = part_of(end, part);
    fprintf(f, "%s %.9g\n%s_once %.9g\n", name, one, name, once(one, part_of(twice, part)));
}

/* Both have the same plan, and so their parameters in the same order. */
status bench_profile_write(
    const bench_profile *b, const bench_profile *twice, const char *path, int images) {
    int step = middle(b), other = middle(twice);
    const double *end = b->end[step % STEPS], *end2 = twice->end[other % STEPS];
    const ready *event = events_of(b, step), *event2 = events_of(twice, other);
    double add = addition();
    if (add <= 0) return STATUS_FAILED;
    FILE *f = fopen(path, "w");
    if (!f) return close_file(f, path);
    fprintf(f, "# seconds of a training step on one rank; once: of these, whatever its images\n");
    fprintf(f, "images %d\n", images);
    write_part(f, "forward", BENCH_FORWARD, end, end2);
    fprintf(f, "loss %.9g\n", part_of(end, BENCH_LOSS));
    write_part(f, "backward", BENCH_BACKWARD, end, end2);
    fprintf(f, "optimizer %.9g\nnorms %zu\nadd %.9g\nparameters %d\n",
        part_of(end, BENCH_OPTIMIZER), b->norms / 2, add, b->p->trainable);
    for (int i = 0; i < b->p->trainable; i++) {
        double one = event[i].seconds - end[BENCH_LOSS];
        fprintf(f, "ready %zu %zu %.9g %.9g\n", event[i].offset, event[i].count, one,
            once(one, event2[i].seconds - end2[BENCH_LOSS]));
    }
    return close_file(f, path);
}

status bench_profile_add(const char *path, const char *name, double value) {
    FILE *f = fopen(path, "a");
    if (f) fprintf(f, "%s %.9g\n", name, value);
    return close_file(f, path);
}
