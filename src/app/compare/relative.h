/* Addresses of files as seen from a folder. Not collective. */
#ifndef AUXSEG_APP_COMPARE_RELATIVE_H
#define AUXSEG_APP_COMPARE_RELATIVE_H

#include "io/files/file.h"

/* "../../a/b": how `path` is reached from `folder`; both exist, links on their ways are followed.
 * out [FILE_PATH]. Where one of the two cannot be found, or the way is too long, `path` as it is.
 * The same folder is ".". */
void relative_path(char *out, const char *folder, const char *path);

#endif
