/* What scripts ask of settings: the stages of a run, the values. Not collective. */
#ifndef AUXSEG_APP_TOOLS_PRINT_H
#define AUXSEG_APP_TOOLS_PRINT_H

#include "src/base/settings.h"

/* The command: the names of the stages that a run's first round does, one a line. */
status command_stages(const settings *s);
/* The command: the effective settings as a file of settings, one key a line. */
status command_settings(const settings *s);

#endif
