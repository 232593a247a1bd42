/* The command that compares files with the checksums they carry. */
#ifndef AUXSEG_APP_TOOLS_VERIFY_H
#define AUXSEG_APP_TOOLS_VERIFY_H

#include "src/base/status.h"

/* argv [argc]: the files. Not collective. */
status command_verify(int argc, char **argv);

#endif
