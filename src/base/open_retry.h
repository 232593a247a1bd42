/* open() that a signal does not fail. */
#ifndef AUXSEG_BASE_OPEN_RETRY_H
#define AUXSEG_BASE_OPEN_RETRY_H

#include <errno.h>
#include <fcntl.h>

/* As open(path, flags, mode), called again where a signal interrupts it (network file systems). */
static inline int open_retry(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

#endif
