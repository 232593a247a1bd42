/* The text of a settings file, made ready for libconfig. For settings_read alone. */
#ifndef AUXSEG_BASE_SETTINGS_FILE_H
#define AUXSEG_BASE_SETTINGS_FILE_H

#include "src/base/status.h"

/* *text: owned by the caller (memory_free). STATUS_USAGE, with a message, for what cannot be read,
 * is no text of at most 1 MiB, includes other files, or has an integer beyond 64 bits. Line numbers
 * are the file's. libconfig 1.5 cuts integers to 32 bits unless an L follows: it is added. Not
 * collective. */
status settings_file_load(const char *file, char **text);

#endif
