/* The built-in data set as files. */
#ifndef AUXSEG_APP_TOOLS_SYNTH_H
#define AUXSEG_APP_TOOLS_SYNTH_H

#include "src/base/settings.h"

/* Writes the scenes and their lists (`image<TAB>label` a line) below dataset.root, unless the same
 * ones are already there; scenes of other settings are replaced, another data set is left alone
 * with STATUS_USAGE. One rank calls. */
status synth_write(const settings *s);

/* The command. One rank calls. */
status command_synth(const settings *s);

#endif
