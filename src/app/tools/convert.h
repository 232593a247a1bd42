/* The command that writes the weights of a file anew: as safetensors, with other names if asked. */
#ifndef AUXSEG_APP_TOOLS_CONVERT_H
#define AUXSEG_APP_TOOLS_CONVERT_H

#include "src/base/status.h"

/* argv [argc]: IN OUT.safetensors [--names RULE], or --rules. STATUS_USAGE for another ending than
 * that of the format that is written, STATUS_NONFINITE for values that no network may hold: nothing
 * is then written. Not collective. */
status command_convert(int argc, char **argv);

#endif
