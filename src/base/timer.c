#include "src/base/timer.h"

#include <time.h>

const char *phase_name(phase p) {
    static const char *const name[PHASE_COUNT] = {"read", "input", "forward", "loss", "backward",
        "exchange", "optimizer", "assign", "update", "checkpoint", "write"};
    return name[p];
}

double timer_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double timer_lap(timers *t, phase p, double since) {
    double now = timer_now();
    t->seconds[p] += now - since;
    return now;
}
