/* `compare`: the runs of a plan, one after another, and their results side by side. */
#ifndef AUXSEG_APP_COMPARE_H
#define AUXSEG_APP_COMPARE_H

#include "src/base/status.h"

/* Starts MPI for what computes; plans, lists and --of need none. argv [argc]: what follows the
 * command's name. */
status command_compare(int argc, char **argv);

#endif
