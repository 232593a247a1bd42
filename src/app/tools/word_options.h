/* Options of commands that take no settings (bench, kmeans): "--name value". */
#ifndef AUXSEG_APP_TOOLS_WORD_OPTIONS_H
#define AUXSEG_APP_TOOLS_WORD_OPTIONS_H

#include "mpi/comm.h"

#include <stdbool.h>

typedef struct word_option {
    const char *name;
    const char *const *words; /* that it is one of, NULL-ended; NULL: any text */
    const char *value;        /* the default, NULL: none; becomes what the command line says */
    bool needed;
} word_option;

/* Reads words into options [count]; every mistake is named by rank 0: STATUS_USAGE. The same words
 * on every rank. Collective. */
status word_options(const comm *c, word_option *o, int count, int argc, char **argv);
/* Which of its words the value of an option is. After word_options. */
int word_choice(const word_option *o);
/* "no", "yes". */
extern const char *const word_no_yes[];
/* An option's value as a whole number within [least, most]; STATUS_USAGE as above. */
status word_number(const comm *c, const word_option *o, int64_t least, int64_t most, int64_t *to);

#endif
