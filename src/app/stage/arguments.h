/* CONFIG.cfg [--set group.key=value]... of a command line. Not collective. */
#ifndef AUXSEG_APP_STAGE_ARGUMENTS_H
#define AUXSEG_APP_STAGE_ARGUMENTS_H

#include "src/base/status.h"

typedef struct arguments {
    const char *config; /* borrowed from argv, like the next */
    const char **set;   /* [sets]; owned */
    int sets;
    char **rest; /* [rests]: all other words, in their order; owned */
    int rests;
} arguments;

/* argv [argc]: what follows the command's name. Every mistake is named: STATUS_USAGE. */
status arguments_read(arguments *out, int argc, char **argv);
/* For commands with more options: settings apart from `rest`, which is theirs to read; config is
 * not set. STATUS_USAGE, with a message, where the last --set has no value: the others are there.
 * Destroyed by the caller after any status. */
status arguments_split(arguments *out, int argc, char **argv);
void arguments_destroy(arguments *a);

#endif
