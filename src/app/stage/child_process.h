/* A program that a command runs, a launcher with its ranks for one, and waits for. Not collective.
 */
#ifndef AUXSEG_APP_STAGE_CHILD_PROCESS_H
#define AUXSEG_APP_STAGE_CHILD_PROCESS_H

#include "src/base/status.h"

#include <stdbool.h>

typedef struct child_process {
    const char *command; /* of this program, for messages: "study" */
    char *const *word;   /* the command line, NULL at its end */
    const char *log;     /* the file that takes what it prints; anew */
    int cores;           /* that it may use, of those of this process: one hyperthread of each core
                            first; 0: all */
    int threads;         /* OMP_NUM_THREADS */
} child_process;

/* Waits for its end. A request to stop is handed on as USR1. Its code as a status: STATUS_STOPPED
 * where it was asked to stop, STATUS_FAILED for a code that is none of this program's or a signal,
 * with what it said last. */
status child_process_run(const child_process *c);
/* Whether a program of that name can be started: its path, or a name that PATH has. */
bool child_process_is_there(const char *name);
/* How many cores this process may use, hyperthreads counted. */
int child_process_processors(void);
/* Physical cores among the first `cores` that a child would get. */
int child_process_physical(int cores);

#endif
