/* Settings that are right each by itself and wrong together. For settings_read alone. */
#ifndef AUXSEG_BASE_SETTINGS_CHECK_H
#define AUXSEG_BASE_SETTINGS_CHECK_H

#include "src/base/settings.h"

/* Writes every contradiction with log_error and returns how many there are. Not collective. */
int settings_check(const settings *s);

#endif
