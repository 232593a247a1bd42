/* A stage's command from MPI's start to its end. */
#ifndef AUXSEG_APP_SESSION_H
#define AUXSEG_APP_SESSION_H

#include "mpi/comm.h"
#include "src/app/arguments.h"
#include "src/base/settings.h"

/* Starts MPI, shares the settings and saves them in run.dir, installs the requests to stop, runs
 * the stage, prints its result, time and memory, ends MPI; the start and its end stand in run.json.
 * command: its name; argv [argc]: what follows it. Every rank returns the same code. */
status session_run(
    const char *command, status (*stage)(const comm *c, const settings *s), int argc, char **argv);
/* The same for a command that takes words instead of settings: MPI's start and end around it. */
status session_run_words(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv);

#endif
