/* Signs of this process's progress, for the watchdog (mpi/watchdog.h) to look at: a count that
 * grows with every piece of work, what the work is, and whether the main thread waits for other
 * ranks. All are relaxed atomic words of the process, a few nanoseconds each. Not collective. No
 * result depends on them. */
#ifndef AUXSEG_BASE_PULSE_H
#define AUXSEG_BASE_PULSE_H

#include "src/base/timer.h"

#include <stdbool.h>
#include <stdint.h>

enum { PULSE_STAGE = 32 }; /* bytes of a stage's name that are kept, with its end */

typedef struct pulse {
    uint64_t ticks;
    bool waiting; /* in MPI, for others */
    bool library; /* in a library's call that may last */
    int phase;    /* that ended last; -1: none yet */
    int64_t step; /* steps, images or passes that are done of the stage */
    char stage[PULSE_STAGE];
} pulse;

/* A piece of work is done. From any thread. Nothing while the main thread waits for other ranks. */
void pulse_tick(void);
/* `done` pieces of the work called `stage` are done; the name is copied. The main thread. */
void pulse_stage(const char *stage, int64_t done);
/* The phase has just ended. The main thread. */
void pulse_phase(phase ended);
/* Around every call that may wait for other ranks, which is then no lack of progress of this one.
 * They nest. The thread that calls MPI. */
void pulse_wait(void);
void pulse_go(void);
/* Around a call of a library that cannot be cut into pieces and may last for minutes, which is no
 * lack of progress. The main thread; they do not nest. */
void pulse_library(bool inside);

/* What stands at this moment; from any thread. Words that change meanwhile may be of two moments.
 */
pulse pulse_now(void);

#endif
