/* Options of benchmarks, "--name value". */
#ifndef AUXSEG_APP_TOOLS_BENCH_OPTIONS_H
#define AUXSEG_APP_TOOLS_BENCH_OPTIONS_H

#include "mpi/comm.h"

#include <stdbool.h>

/* An option of a benchmark, "--name value". */
typedef struct bench_option {
    const char *name;
    const char *const *words; /* that it is one of, NULL-ended; NULL: any text */
    const char *value;        /* the default, NULL: none; becomes what the command line says */
    bool needed;
} bench_option;

/* Reads words into options [count]; every mistake is named by rank 0: STATUS_USAGE. The same words
 * on every rank. Collective. */
status bench_options(const comm *c, bench_option *o, int count, int argc, char **argv);
/* Which of its words the value of an option is. After bench_options. */
int bench_choice(const bench_option *o);
/* "no", "yes". */
extern const char *const bench_no_yes[];
/* An option's value as a whole number within [least, most]; STATUS_USAGE as above. */
status bench_number(const comm *c, const bench_option *o, int64_t least, int64_t most, int64_t *to);

#endif
