/* The commands by name: what each is for, and what runs it. Not collective. */
#ifndef AUXSEG_APP_COMMAND_LIST_H
#define AUXSEG_APP_COMMAND_LIST_H

#include "mpi/comm.h"
#include "src/base/settings.h"

#include <stdio.h>

typedef struct command {
    stage_id does; /* the stage that the command is, whose texts are its own; or STAGE_NONE */
    const char *name, *summary;
    const char *arguments; /* as in the usage line */
    const char *reads, *writes;
    const char *example;
    /* One of the five: a stage under MPI, collective, the same status on every rank, whether main
     * or `run` calls it; with words, under MPI; with settings, without MPI; with settings that may
     * have mistakes, without MPI; with files, without MPI. */
    status (*stage)(const comm *c, const settings *s);
    status (*words)(const comm *c, int argc, char **argv);
    status (*local)(const settings *s);
    status (*check)(const settings *s, int mistakes);
    status (*files)(int argc, char **argv);
} command;

/* index from 0; false past the end. */
bool command_at(int index, command *out);
/* False: unknown; the nearest name is in the message that is then written. */
bool command_find(const char *name, command *out);
/* All commands, or one. */
void command_help_all(FILE *to);
void command_help(const command *k, FILE *to);

#endif
