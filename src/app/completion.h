/* Completion for shells, made of the tables of commands and settings. Not collective. */
#ifndef AUXSEG_APP_COMPLETION_H
#define AUXSEG_APP_COMPLETION_H

#include "src/base/status.h"

/* `auxseg completion bash` writes a script for bash to standard output. The build calls it; the
 * help does not list it. */
status command_completion(int argc, char **argv);

#endif
