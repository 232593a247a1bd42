/* A library to preload that makes one call of the C library fail, as a full or broken disk does, or
 * kills the process inside of it:
 *   AUXSEG_FAULT=CALL:N:ERROR  the N-th (from 1) call of open, read, write, fsync, ftruncate,
 *                              fallocate, rename, mkdir or close, or of any of them. 0: none
 *                              fails, each is written down
 *     ERROR                    ENOSPC, EIO, ...; short, which reads or writes a half; EINTR, which
 *                              a caller must bear; kill and killall: SIGKILL to this process, to
 *                              all that its parent has begun, halfway through the call
 *   AUXSEG_FAULT_PATH=TEXT     of files whose path holds this text
 *   AUXSEG_FAULT_RANK=R        of rank R alone (Open MPI's and Slurm's variable)
 *   AUXSEG_FAULT_LOG=FILE      a line for each call that has failed: call and path
 * The calls after it succeed. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

/* What happens to a call. */
typedef enum { GOES_ON, FAILS, HALF, DIES } fate;

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
    } known[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},
        {"EINTR", EINTR}, {"EACCES", EACCES}, {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE},
        {"EFBIG", EFBIG}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].number;
    return EIO;
}

/* By the calls themselves, not by this library's: open() and write() would come back here. */
static void report(const char *call, const char *path) {
    REAL(int, open, const char *, int, ...);
    int fd = real(variable("AUXSEG_FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) dprintf(fd, "%s %s\n", call, path);
    if (fd >= 0) syncfs(fd);
    if (fd >= 0) {
        REAL(int, close, int);
        real(fd);
    }
}

/* The ranks of this machine: the children of this process's parent. */
static void kill_siblings(void) {
    char path[64];
    int process, own = (int)getpid();
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getppid(), (int)getppid());
    FILE *file = fopen(path, "r");
    while (file && fscanf(file, "%d", &process) == 1)
        if (process != own) kill(process, SIGKILL);
}

static fate fate_of(const char *call, const char *path) {
    char name[32], error[32];
    int n;
    if (sscanf(variable("AUXSEG_FAULT"), "%31[^:]:%d:%31s", name, &n, error) != 3) return GOES_ON;
    if (strcmp(name, call) != 0 && strcmp(name, "any") != 0) return GOES_ON;
    if (!strstr(path, variable("AUXSEG_FAULT_PATH")) || !is_rank()) return GOES_ON;
    int at = atomic_fetch_add(&calls, 1) + 1;
    if (n != 0 && at != n) return GOES_ON;
    report(call, path);
    if (n == 0) return GOES_ON;
    if (strcmp(error, "short") == 0) return HALF;
    if (strncmp(error, "kill", 4) == 0) return DIES;
    errno = error_of(error);
    return FAILS;
}

static fate fate_on(const char *call, int fd) {
    char path[4096], link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return fate_of(call, path);
}

static void die(void) {
    if (strstr(variable("AUXSEG_FAULT"), ":killall")) kill_siblings();
    raise(SIGKILL);
}

/* Whether a call that writes nothing is made: one that dies does so before or after it, by the
 * parity of its number. */
static int made(fate f) {
    if (f != DIES) return f != FAILS;
    if (atomic_load(&calls) % 2) die();
    return 1;
}

static ssize_t write_some(
    fate f, ssize_t (*real)(int, const void *, size_t), int fd, const void *data, size_t bytes) {
    if (f == FAILS) return -1;
    ssize_t done = real(fd, data, f == GOES_ON ? bytes : (bytes + 1) / 2);
    if (f == DIES) die();
    return done;
}

ssize_t write(int fd, const void *data, size_t bytes) {
    REAL(ssize_t, write, int, const void *, size_t);
    return write_some(fate_on("write", fd), real, fd, data, bytes);
}

static ssize_t pwrite_some(fate f, ssize_t (*real)(int, const void *, size_t, off_t), int fd,
    const void *data, size_t bytes, off_t at) {
    if (f == FAILS) return -1;
    ssize_t done = real(fd, data, f == GOES_ON ? bytes : (bytes + 1) / 2, at);
    if (f == DIES) die();
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return pwrite_some(fate_on("write", fd), real, fd, data, bytes, at);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return pwrite_some(fate_on("write", fd), real, fd, data, bytes, at);
}

ssize_t read(int fd, void *data, size_t bytes) {
    REAL(ssize_t, read, int, void *, size_t);
    fate f = fate_on("read", fd);
    return made(f) ? real(fd, data, f == HALF ? (bytes + 1) / 2 : bytes) : -1;
}

ssize_t pread(int fd, void *data, size_t bytes, off_t at) {
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    fate f = fate_on("read", fd);
    return made(f) ? real(fd, data, f == HALF ? (bytes + 1) / 2 : bytes, at) : -1;
}

ssize_t pread64(int fd, void *data, size_t bytes, off64_t at) {
    REAL(ssize_t, pread64, int, void *, size_t, off64_t);
    fate f = fate_on("read", fd);
    return made(f) ? real(fd, data, f == HALF ? (bytes + 1) / 2 : bytes, at) : -1;
}

#define WITH_MODE(flags, mode)                                                                     \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...) {
    REAL(int, open, const char *, int, ...);
    WITH_MODE(flags, mode)
    return made(fate_of("open", path)) ? real(path, flags, mode) : -1;
}

int open64(const char *path, int flags, ...) {
    REAL(int, open64, const char *, int, ...);
    WITH_MODE(flags, mode)
    return made(fate_of("open", path)) ? real(path, flags, mode) : -1;
}

FILE *fopen(const char *path, const char *mode) {
    REAL(FILE *, fopen, const char *, const char *);
    return made(fate_of("open", path)) ? real(path, mode) : NULL;
}

FILE *fopen64(const char *path, const char *mode) {
    REAL(FILE *, fopen64, const char *, const char *);
    return made(fate_of("open", path)) ? real(path, mode) : NULL;
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return made(fate_on("fsync", fd)) ? real(fd) : -1;
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return made(fate_on("fsync", fd)) ? real(fd) : -1;
}

int ftruncate(int fd, off_t length) {
    REAL(int, ftruncate, int, off_t);
    return made(fate_on("ftruncate", fd)) ? real(fd, length) : -1;
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    return made(fate_on("ftruncate", fd)) ? real(fd, length) : -1;
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    REAL(int, fallocate, int, int, off_t, off_t);
    return made(fate_on("fallocate", fd)) ? real(fd, mode, at, length) : -1;
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    fate f = fate_of("rename", from);
    int done = made(f) ? real(from, to) : -1;
    if (f == DIES) die();
    return done;
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return made(fate_of("mkdir", path)) ? real(path, mode) : -1;
}

/* A close that fails has closed all the same. */
int close(int fd) {
    REAL(int, close, int);
    fate f = fate_on("close", fd);
    int why = errno, done = real(fd);
    if (f == DIES) die();
    if (f != FAILS) return done;
    errno = why;
    return -1;
}
