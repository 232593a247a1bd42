/* Measurements of single parts of the program: the figures that are compared with other programs.
 * Each prints one line of JSON on rank 0. */
#ifndef AUXSEG_APP_TOOLS_BENCH_H
#define AUXSEG_APP_TOOLS_BENCH_H

#include "mpi/comm.h"

#include <stdbool.h>

/* An option of a benchmark, "--name value". */
typedef struct bench_option {
    const char *name, *choices; /* choices: "a|b|c", or NULL */
    const char *value;          /* the default, NULL: none; becomes what the words say */
    bool needed;
} bench_option;

/* Reads words into options [count]; every mistake is named by rank 0: STATUS_USAGE. The same words
 * on every rank. Collective. */
status bench_options(const comm *c, bench_option *o, int count, int argc, char **argv);
/* An option's value as a whole number within [least, most]; STATUS_USAGE as above. */
status bench_number(const comm *c, const bench_option *o, int64_t least, int64_t most, int64_t *to);

/* `auxseg bench kmeans`: iterations on a matrix from a file. Collective. */
status bench_kmeans(const comm *c, int argc, char **argv);
/* `auxseg bench loss`: value and gradient over a pool that every rank has a share of. Collective.
 */
status bench_loss(const comm *c, int argc, char **argv);
/* `auxseg bench extract`, `auxseg bench train`: every rank has a batch of its own. Collective. */
status bench_extract(const comm *c, int argc, char **argv);
status bench_train(const comm *c, int argc, char **argv);

/* The command: argv [argc], what to measure and its options. Collective. */
status command_bench(const comm *c, int argc, char **argv);

#endif
