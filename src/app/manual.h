/* Manual pages, made of the tables of commands, stages and settings, so that they cannot lag behind
 * the program. Not collective. */
#ifndef AUXSEG_APP_MANUAL_H
#define AUXSEG_APP_MANUAL_H

#include "src/base/status.h"

/* `auxseg manual 1` writes auxseg(1) to standard output, `auxseg manual 5` auxseg.cfg(5). The build
 * calls it; the help does not list it. */
status command_manual(int argc, char **argv);

#endif
