/* Settings that are right each by itself and wrong together. For settings_read alone. */
#ifndef AUXSEG_BASE_SETTINGS_CHECK_H
#define AUXSEG_BASE_SETTINGS_CHECK_H

#include "src/base/settings.h"

/* Writes every contradiction with log_error and returns how many there are. What no network can be
 * made with becomes its default, so that `check` names it once. Not collective. */
int settings_check(settings *s);

#endif
