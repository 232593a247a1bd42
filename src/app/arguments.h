/* CONFIG.cfg [--set group.key=value]... of a command line. Not collective. */
#ifndef AUXSEG_APP_ARGUMENTS_H
#define AUXSEG_APP_ARGUMENTS_H

#include "src/base/status.h"

typedef struct arguments {
    const char *config; /* borrowed from argv, like the next */
    const char **set;   /* [sets]; owned */
    int sets;
} arguments;

/* argv [argc]: what follows the command's name. Every mistake is named: STATUS_USAGE. */
status arguments_read(arguments *out, int argc, char **argv);
void arguments_destroy(arguments *a);

#endif
