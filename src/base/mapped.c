/* Mapped files, and who they are when reading one fails: a table of the few that there are at a
 * time, which the signal's handler looks an address up in. The fault happens in a loop over rows,
 * never within a library that the message needs, so that the handler may say it as any other. */
#include "src/base/mapped.h"

#include "src/base/log.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 16 }; /* a file more is mapped, too, and not named */

/* begin 0: a free place. */
typedef struct mapped_file {
    _Atomic uintptr_t begin;
    size_t bytes;
    char path[PATH_MAX];
} mapped_file;

static mapped_file files[MOST];
static struct sigaction before;
static bool installed;

/* Of threads that meet it at once, one tells. */
static void on_fault(int number, siginfo_t *about, void *context) {
    static atomic_flag told = ATOMIC_FLAG_INIT;
    uintptr_t at = (uintptr_t)about->si_addr;
    (void)context;
    for (int i = 0; i < MOST; i++) {
        uintptr_t begin = atomic_load(&files[i].begin);
        if (begin == 0 || at < begin || at - begin >= files[i].bytes) continue;
        while (atomic_flag_test_and_set(&told)) pause();
        log_error("%s: cannot be read any more: it was cut short, or its disk does not give it",
            files[i].path);
        _exit(STATUS_FAILED);
    }
    /* Not ours: the access is tried again, and meets who was there before. */
    sigaction(number, &before, NULL);
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    installed = sigaction(SIGBUS, &action, &before) == 0;
}

status mapped_create(const char *path, int fd, uint64_t offset, size_t bytes, void **out) {
    void *mapping = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)offset);
    if (mapping == MAP_FAILED) {
        log_error("%s: cannot be mapped: %s", path, strerror(errno));
        return STATUS_FAILED;
    }
    if (!installed) install();
    int i = 0;
    while (i < MOST && atomic_load(&files[i].begin) != 0) i++;
    if (i < MOST) {
        snprintf(files[i].path, sizeof files[i].path, "%s", path);
        files[i].bytes = bytes;
        atomic_store(&files[i].begin, (uintptr_t)mapping);
    }
    *out = mapping;
    return STATUS_OK;
}

void mapped_destroy(void *mapping, size_t bytes) {
    if (!mapping) return;
    for (int i = 0; i < MOST; i++)
        if (atomic_load(&files[i].begin) == (uintptr_t)mapping) atomic_store(&files[i].begin, 0);
    munmap(mapping, bytes);
}
