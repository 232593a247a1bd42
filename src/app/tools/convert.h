/* The command that turns weights of one format into another. */
#ifndef AUXSEG_APP_TOOLS_CONVERT_H
#define AUXSEG_APP_TOOLS_CONVERT_H

#include "src/base/status.h"

/* argv [argc]: IN OUT. Not collective. */
status command_convert(int argc, char **argv);

#endif
