/* The start of a command in run.json: when, how and where it was started, and how it ended. */
#ifndef AUXSEG_APP_SESSION_RECORD_H
#define AUXSEG_APP_SESSION_RECORD_H

#include "io/files/file.h"
#include "io/files/run_record.h"
#include "mpi/comm.h"
#include "src/base/settings.h"

typedef struct session_record {
    char path[FILE_PATH];     /* of run.json; "": nothing was recorded */
    char settings[FILE_PATH]; /* the file that this start's are in */
    char started[RUN_RECORD_TIME];
    char *command, *hosts; /* owned */
    start_record start;    /* its texts are those */
} session_record;

/* The words of a command line after the program's name. */
typedef struct command_line {
    const char *command;
    int argc;
    char **argv; /* borrowed */
} command_line;

/* "auxseg run x.cfg --set 'a.b=c d'", as a shell reads it: owned by the caller; NULL without
 * memory. Not collective. */
char *command_line_text(const command_line *line);

/* Adds the start to the record of run.dir, which exists. out may be ended after any status.
 * Collective. */
status session_record_begin(
    session_record *out, const comm *c, const settings *s, const command_line *line);
/* Adds how it ended: code, seconds, the largest rank's peak memory (MiB). Where the record cannot
 * be written, a code of STATUS_OK becomes that status. Collective: the same code on every rank. */
status session_record_end(
    session_record *r, const comm *c, status code, double seconds, double peak_memory);

#endif
