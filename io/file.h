/* Files that are never half-written: temporary name, flush, fsync, rename, fsync of the folder.
 * Not collective: one rank calls. */
#ifndef AUXSEG_IO_FILE_H
#define AUXSEG_IO_FILE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { FILE_PATH = 4096 };

/* path = folder/name; STATUS_USAGE if longer than FILE_PATH. */
status file_path(char *path, const char *folder, const char *name);
/* Like mkdir -p. */
status file_make_folder(const char *path);
int file_exists(const char *path);
/* The temporary name beside `path` that file_publish renames. */
status file_temporary(char *temporary, const char *path);
/* fsync of `temporary`, rename to path, fsync of its folder. */
status file_publish(const char *temporary, const char *path);
/* All of it at once. */
status file_write(const char *path, const void *data, size_t bytes);
/* Whole file, owned by the caller (memory_free), a zero byte after the end. limit: refuse longer
 * ones (STATUS_DATA). */
status file_read(const char *path, size_t limit, void **data, size_t *bytes);
/* XXH3 of the contents. */
status file_hash(const char *path, uint64_t *hash);

#endif
