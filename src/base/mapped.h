/* Files as memory that is only read. Where such a file is cut short, or its disk cannot read it any
 * more, the system ends the process with SIGBUS: it ends with STATUS_FAILED instead, and a message
 * that names the file. Not collective. */
#ifndef AUXSEG_BASE_MAPPED_H
#define AUXSEG_BASE_MAPPED_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* *out: the bytes from `offset` on, a multiple of the page's size, of the file that fd is open for,
 * which holds them. path is for messages. The caller may close fd, and ends with mapped_destroy.
 * One thread at a time. */
status mapped_create(const char *path, int fd, uint64_t offset, size_t bytes, void **out);
/* NULL-safe. One thread at a time. */
void mapped_destroy(void *mapping, size_t bytes);

#endif
