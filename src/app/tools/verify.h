/* The command that compares files with the checksums they carry, and with run.json. */
#ifndef AUXSEG_APP_TOOLS_VERIFY_H
#define AUXSEG_APP_TOOLS_VERIFY_H

#include "src/base/status.h"

/* argv [argc]: the files, or folders of runs. Not collective. */
status command_verify(int argc, char **argv);

#endif
