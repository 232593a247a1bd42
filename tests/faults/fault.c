/* A library to preload that makes one call of the C library fail, as a full or broken disk does:
 *   AUXSEG_FAULT=CALL:N:ERROR  the N-th (from 1) call of write, pwrite, fsync, fdatasync,
 * ftruncate, fallocate, rename or close; ERROR is ENOSPC, EIO, EDQUOT, EROFS, EINTR, or short,
 * which writes half AUXSEG_FAULT_PATH=TEXT     of files whose path holds this text
 *   AUXSEG_FAULT_RANK=R        of rank R alone (Open MPI's and Slurm's variable)
 *   AUXSEG_FAULT_LOG=FILE      is written once the call has failed
 * The calls after it succeed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls;

static const char *variable(const char *name) {
    const char *text = getenv(name);
    return text ? text : "";
}

static int is_rank(void) {
    const char *wanted = variable("AUXSEG_FAULT_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = variable("SLURM_PROCID");
    return !wanted[0] || strcmp(wanted, rank[0] ? rank : "0") == 0;
}

static int error_of(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EINTR", EINTR}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].number;
    return 0;
}

static void report(const char *call, const char *path) {
    int fd = open(variable("AUXSEG_FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0) dprintf(fd, "%s %s\n", call, path);
}

/* Whether this call fails; *shorten: it writes half instead. */
static int fails(const char *call, const char *path, int *shorten) {
    char name[32], error[32];
    int n;
    *shorten = 0;
    if (sscanf(variable("AUXSEG_FAULT"), "%31[^:]:%d:%31s", name, &n, error) != 3) return 0;
    if (strcmp(name, call) != 0 || !strstr(path, variable("AUXSEG_FAULT_PATH")) || !is_rank())
        return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != n) return 0;
    report(call, path);
    *shorten = strcmp(error, "short") == 0;
    errno = error_of(error);
    return 1;
}

static void path_of(int fd, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = 0;
}

static int fails_on(const char *call, int fd, int *shorten) {
    char path[4096];
    path_of(fd, path);
    return fails(call, path, shorten);
}

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t bytes) {
    REAL(ssize_t, write, int, const void *, size_t);
    int shorten;
    if (fails_on("write", fd, &shorten)) return shorten ? real(fd, data, (bytes + 1) / 2) : -1;
    return real(fd, data, bytes);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    int shorten;
    if (fails_on("pwrite", fd, &shorten)) return shorten ? real(fd, data, (bytes + 1) / 2, at) : -1;
    return real(fd, data, bytes, at);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    int shorten;
    if (fails_on("pwrite", fd, &shorten)) return shorten ? real(fd, data, (bytes + 1) / 2, at) : -1;
    return real(fd, data, bytes, at);
}

int fsync(int fd) {
    REAL(int, fsync, int);
    int shorten;
    return fails_on("fsync", fd, &shorten) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    int shorten;
    return fails_on("fdatasync", fd, &shorten) ? -1 : real(fd);
}

int ftruncate(int fd, off_t length) {
    REAL(int, ftruncate, int, off_t);
    int shorten;
    return fails_on("ftruncate", fd, &shorten) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    int shorten;
    return fails_on("ftruncate", fd, &shorten) ? -1 : real(fd, length);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    REAL(int, fallocate, int, int, off_t, off_t);
    int shorten;
    return fails_on("fallocate", fd, &shorten) ? -1 : real(fd, mode, at, length);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    int shorten;
    return fails("rename", from, &shorten) ? -1 : real(from, to);
}

int close(int fd) {
    REAL(int, close, int);
    int shorten, lost = fails_on("close", fd, &shorten), why = errno, got = real(fd);
    if (!lost) return got;
    errno = why;
    return -1;
}
