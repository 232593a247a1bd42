/* What a test cannot bring about from outside, at a place and a time that are the same in each run:
 * a lack of memory, a request to stop, a bit that flips. The rank is the launcher's, from the
 * environment, as some of these places are passed before MPI knows it. */
#include "src/base/hook.h"

#ifdef AUXSEG_HOOKS
#include "src/base/launcher.h"

#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int launched_rank(void) {
    const char *rank = launcher_rank();
    return rank ? atoi(rank) : 0;
}

long hook_number(const hook *h) {
    char variable[64];
    int rank = -1;
    long n = 0;
    snprintf(variable, sizeof variable, "AUXSEG_HOOK_%s", h->name);
    const char *text = getenv(variable);
    if (!text || sscanf(text, "%ld:%d", &n, &rank) < 1) return 0;
    return rank < 0 || rank == launched_rank() ? n : 0;
}

static void report(const hook *h, long n) {
    const char *path = getenv("AUXSEG_HOOK_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0) return;
    dprintf(fd, "%s %ld\n", h->name, n);
    close(fd);
}

/* From where the place was passed. Frames by their distance from the program's beginning, which is
 * the same in each process; those of libraries are left out. Threads may write at once: one line
 * each. */
static void note(const hook *h, long n) {
    enum { FRAMES = 24, SKIPPED = 2, LINE = 512 };
    extern const char __ehdr_start, etext;
    const char *path = getenv("AUXSEG_HOOK_PATHS");
    void *frame[FRAMES];
    char line[LINE];
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0) return;
    int frames = backtrace(frame, FRAMES);
    int used = snprintf(line, sizeof line, "%s %ld", h->name, n);
    for (int i = SKIPPED; i < frames && used < LINE - 32; i++) {
        const char *p = frame[i];
        if (p < &__ehdr_start || p >= &etext) continue;
        used += snprintf(line + used, (size_t)(LINE - used), " %tx", p - &__ehdr_start);
    }
    dprintf(fd, "%s\n", line);
    close(fd);
}

static bool fires(hook *h, bool later) {
    long at = hook_number(h);
    if (at == 0) return false;
    long n = atomic_fetch_add(&h->passed, 1) + 1;
    note(h, n);
    if (n == at) report(h, n);
    return later ? n >= at : n == at;
}

bool hook_now(hook *h) {
    return fires(h, false);
}

bool hook_from_now(hook *h) {
    return fires(h, true);
}
#endif
