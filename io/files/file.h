/* Files that are never half-written: temporary name, flush, fsync, rename, fsync of the folder.
 * Not collective: one rank calls.
 * Whoever cannot read says STATUS_DATA, whoever cannot write STATUS_OUTPUT, each with a message
 * that names the file. */
#ifndef AUXSEG_IO_FILES_FILE_H
#define AUXSEG_IO_FILES_FILE_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_PATH = 4096 };
/* What file_temporary appends: an interrupted write leaves such a file, the next one replaces it.
 */
#define FILE_TEMPORARY ".part"

/* path [FILE_PATH] = folder/name (folder "": name); STATUS_USAGE if longer. */
status file_path(char *path, const char *folder, const char *name);
/* Like mkdir -p. */
status file_make_folder(const char *path);
int file_exists(const char *path);
/* Whether two paths lead to one file, which is there. */
int file_same(const char *a, const char *b);
/* The temporary name beside `path` that file_publish renames: the same on every rank. */
status file_temporary(char *temporary, const char *path);
/* Opens it for writing as a new file: what stands there under this name, a link too, is removed
 * first, never followed. -1 and errno on failure. */
int file_create_temporary(const char *temporary);
/* As close(), for a file that was written: what fails is that its bytes may not be on the disk. */
int file_close(int fd);
/* fsync of `temporary`, rename to path, fsync of its folder. On error `temporary` is removed. */
status file_publish(const char *temporary, const char *path);

typedef struct file_part {
    const void *data; /* borrowed */
    size_t bytes;
} file_part;
/* All of it at once: the parts one after another. */
status file_write_parts(const char *path, const file_part *part, int parts);
status file_write(const char *path, const void *data, size_t bytes);

/* Regular files only. *fd is closed by the caller. */
status file_open(const char *path, int *fd, uint64_t *bytes);
/* errno of what keeps the system from giving a file that is there (a disk that does not answer, no
 * descriptors, no permission): of what is in it nothing is known then. 0: its last byte can be
 * read, or there is no such file. Says nothing. */
int file_unreadable(const char *path);
/* Whether the name is that of a regular file, or of a link to one. */
bool file_is_regular(const char *path);
/* Exactly `bytes` from `offset` on; path is for the message. Thread-safe. */
status file_read_at(int fd, const char *path, uint64_t offset, void *data, size_t bytes);
/* The disk keeps room for `bytes` at `offset`, or says now that it has not, with what is wanted and
 * what is free. Where a file system cannot promise that, nothing happens. */
status file_reserve(int fd, const char *path, uint64_t offset, uint64_t bytes);
/* All of `bytes` at `offset`; path is for the message. Thread-safe. */
status file_write_at(int fd, const char *path, uint64_t offset, const void *data, size_t bytes);
/* Whole file, owned by the caller (memory_free), a zero byte after the end. limit: refuse longer
 * ones (STATUS_DATA). */
status file_read(const char *path, size_t limit, void **data, size_t *bytes);
/* XXH3 chained over pieces of 4 MiB: any size in little memory. */
status file_hash(const char *path, uint64_t *hash);

#endif
