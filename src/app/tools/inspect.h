/* The command that says what is in a file. */
#ifndef AUXSEG_APP_TOOLS_INSPECT_H
#define AUXSEG_APP_TOOLS_INSPECT_H

#include "src/base/status.h"

/* argv [argc]: the files. Not collective. */
status command_inspect(int argc, char **argv);

#endif
