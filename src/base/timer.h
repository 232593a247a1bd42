/* Wall-clock phases of a stage. Not collective: mpi/phases.h combines them over ranks. */
#ifndef AUXSEG_BASE_TIMER_H
#define AUXSEG_BASE_TIMER_H

typedef enum phase {
    PHASE_READ,
    PHASE_INPUT, /* waiting for a batch, or making what is missing of it */
    PHASE_FORWARD,
    PHASE_LOSS,
    PHASE_BACKWARD,
    PHASE_EXCHANGE,
    PHASE_OPTIMIZER,
    PHASE_ASSIGN,
    PHASE_UPDATE,
    PHASE_CHECKPOINT,
    PHASE_WRITE,
    PHASE_VALIDATION, /* looks at images during a training */
    PHASE_COUNT
} phase;

typedef struct timers {
    double seconds[PHASE_COUNT];
} timers;

const char *phase_name(phase p);
/* Monotonic seconds since an arbitrary moment. */
double timer_now(void);
/* Seconds of processor time of all threads of this process: on a busy machine, what work costs. */
double timer_processor(void);
/* Adds the time since `since` to phase p and returns the present moment, the next `since`. */
double timer_lap(timers *t, phase p, double since);

#endif
