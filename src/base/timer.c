/* The monotonic clock: the time of day may jump when a node's clock is set. */
#include "src/base/timer.h"

#include "src/base/pulse.h"

#include <time.h>

/* As they stand in run.json. */
const char *phase_name(phase p) {
    static const char *const name[PHASE_COUNT] = {"read", "input", "forward", "loss", "backward",
        "exchange", "optimizer", "assign", "update", "checkpoint", "write", "validation"};
    return name[p];
}

double timer_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double timer_processor(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Laps follow each other without a gap: a stage's phases add up to its time. */
double timer_lap(timers *t, phase p, double since) {
    double now = timer_now();
    t->seconds[p] += now - since;
    pulse_phase(p);
    return now;
}
