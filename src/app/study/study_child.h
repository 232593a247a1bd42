/* A child process of a study: a launcher with its ranks. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_CHILD_H
#define AUXSEG_APP_STUDY_STUDY_CHILD_H

#include "src/base/status.h"

typedef struct study_child {
    char *const *word; /* the command line, NULL at its end */
    const char *log;   /* the file that takes what it prints; anew */
    int cores;         /* that it may use, of those of this process: one hyperthread of each core
                          first; 0: all */
    int threads;       /* OMP_NUM_THREADS */
} study_child;

/* Waits for its end. A request to stop is handed on as USR1. Its code as a status: STATUS_STOPPED
 * where it was asked to stop, STATUS_FAILED for a code that is none of this program's or a signal,
 * with what it said last. */
status study_child_run(const study_child *c);
/* How many cores this process may use, hyperthreads counted. */
int study_child_processors(void);
/* Physical cores among the first `cores` that a child would get. */
int study_child_physical(int cores);

#endif
