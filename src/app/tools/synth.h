/* The built-in data set as files. */
#ifndef AUXSEG_APP_TOOLS_SYNTH_H
#define AUXSEG_APP_TOOLS_SYNTH_H

#include "io/dataset/layout.h"

#include <stdbool.h>

/* Writes the scenes and their lists (`image<TAB>label` a line) below dataset.root, unless the same
 * ones are already there; scenes of other settings are replaced, another data set is left alone
 * with STATUS_USAGE. One rank calls, as synth_make does. */
status synth_write(const settings *s);

/* Whether just these scenes are there. STATUS_USAGE if root holds another data set. Not collective.
 */
status synth_look(const settings *s, bool *done);
/* What synth_write would refuse: STATUS_USAGE if root holds another data set. Not collective. */
status synth_check(const settings *s);
/* What layout_read gives once the scenes are there. Not collective. */
status synth_list(const settings *s, layout *out);

#endif
