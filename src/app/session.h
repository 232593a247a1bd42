/* A stage's command from MPI's start to its end. */
#ifndef AUXSEG_APP_SESSION_H
#define AUXSEG_APP_SESSION_H

#include "mpi/comm.h"
#include "src/app/stage/arguments.h"
#include "src/app/session_record.h"
#include "src/base/settings.h"

/* Starts MPI, shares the settings and saves them in run.dir, installs the requests to stop, runs
 * the stage, prints its result, time and memory, ends MPI; the start and its end stand in run.json.
 * command: its name; argv [argc]: what follows it. Every rank returns the same code. */
status session_run(
    const char *command, status (*stage)(const comm *c, const settings *s), int argc, char **argv);
/* The same for a command that takes words instead of settings: MPI's start and end around it. */
status session_run_words(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv);

/* The same for words among which are a file of settings and --set: the watchdog has their limit. */
status session_run_plan(
    status (*work)(const comm *c, int argc, char **argv), int argc, char **argv);
/* The watchdog's limit, in seconds, of such a command once its settings are read: between jobs, and
 * where jobs have ended. Collective. */
status session_limit(const comm *c, double seconds);
/* What one job does, and the words that it was started with. Borrowed. */
typedef struct session_work {
    status (*stage)(const comm *c, const settings *s);
    const command_line *line;
} session_work;

/* One job of several in a session of words: with settings that all ranks have, in their run.dir,
 * whose lock is taken; the start and its end stand in run.json. Requests to stop are the caller's
 * to install. Collective: the same code on every rank. */
status session_job(const comm *c, const settings *s, const session_work *work);

#endif
