/* The built-in data set as files. */
#ifndef AUXSEG_APP_SYNTH_H
#define AUXSEG_APP_SYNTH_H

#include "src/base/settings.h"

/* Writes the scenes and their lists (`image<TAB>label` a line) below dataset.root, unless the lists
 * are already there. One rank calls. */
status synth_write(const settings *s);

#endif
