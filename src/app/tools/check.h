/* The command that looks for what `run` would refuse, before it is submitted. */
#ifndef AUXSEG_APP_TOOLS_CHECK_H
#define AUXSEG_APP_TOOLS_CHECK_H

#include "src/base/settings.h"

/* Names everything that is wrong, on a login node, in seconds; `mistakes` were found in the
 * settings already and are STATUS_USAGE. The last line on standard output says how many there are
 * in all, or that there is none. Returns the kind of the first. Whatever `run` refuses with
 * STATUS_USAGE or STATUS_DATA before it computes, this refuses with the same, up to images that are
 * neither read nor decoded in a large data set. Not collective, no MPI. */
status command_check(const settings *s, int mistakes);

#endif
