/* The commands of the program, one file each; main.c dispatches.
 * A stage's command is collective over `c`, returns the same status on every rank, and does what
 * its name says whether called by main or by `run`. */
#ifndef AUXSEG_APP_COMMANDS_H
#define AUXSEG_APP_COMMANDS_H

#include "mpi/comm.h"
#include "src/base/settings.h"

status command_pack(const comm *c, const settings *s);
status command_extract(const comm *c, const settings *s);
status command_cluster(const comm *c, const settings *s);
status command_score(const comm *c, const settings *s);
status command_pretrain(const comm *c, const settings *s);
status command_finetune(const comm *c, const settings *s);
status command_evaluate(const comm *c, const settings *s);
status command_predict(const comm *c, const settings *s);
status command_report(const comm *c, const settings *s);
status command_run(const comm *c, const settings *s);

/* Under MPI, with words instead of settings. */
status command_bench(const comm *c, int argc, char **argv);

/* Without MPI. argv: what follows the command's name. */
status command_check(const settings *s);
status command_synth(const settings *s);
status command_inspect(int argc, char **argv);
status command_verify(int argc, char **argv);
status command_convert(int argc, char **argv);

#endif
