/* A slow disk is no hang: a thread that is inside of a call on a file, or in the kernel's
 * uninterruptible sleep (a page that comes from a disk, say), waits for a file system. The kernel
 * says both of each thread in /proc. Calls on sockets and pipes are another matter, which is why
 * reads and writes are asked what they read from. */
#include "mpi/watchdog_look.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* text [size] of a file of /proc; "" where it cannot be read. */
static void look(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, size - 1, f) : 0;
    if (f) fclose(f);
    text[n] = '\0';
}

bool watchdog_traced(int process) {
    static const char key[] = "TracerPid:";
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/status", process);
    look(path, text, sizeof text);
    const char *at = strstr(text, key);
    return at && atoi(at + sizeof key - 1) != 0;
}

/* Calls whose first argument is a descriptor: of a file, or of something else. */
static bool takes_descriptor(long call) {
    static const long calls[] = {SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv,
        SYS_writev, SYS_preadv, SYS_pwritev, SYS_close, SYS_lseek, SYS_fstat, SYS_getdents64};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (call == calls[i]) return true;
    return false;
}

/* Calls on files alone. Older ones, which newer architectures have not, are what their libraries
 * call under the newer names. */
static bool of_files(long call) {
    static const long calls[] = {
        SYS_openat,
        SYS_fsync,
        SYS_fdatasync,
        SYS_ftruncate,
        SYS_fallocate,
        SYS_renameat2,
        SYS_unlinkat,
        SYS_linkat,
        SYS_mkdirat,
        SYS_msync,
        SYS_syncfs,
        SYS_statx,
        SYS_copy_file_range,
        SYS_flock,
#ifdef SYS_open
        SYS_open,
        SYS_rename,
        SYS_unlink,
        SYS_link,
        SYS_mkdir,
        SYS_stat,
        SYS_access,
#endif
#ifdef SYS_newfstatat
        SYS_newfstatat,
#endif
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (call == calls[i]) return true;
    return false;
}

static bool is_file(int fd) {
    struct stat s;
    return fstat(fd, &s) == 0 && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode) || S_ISBLK(s.st_mode));
}

/* "1 0x5 0x7ffd... ...": number of the call and its arguments; "running" outside of one. */
static bool in_call_on_file(const char *text) {
    char *end;
    if (!isdigit((unsigned char)text[0])) return false;
    long call = strtol(text, &end, 10);
    return of_files(call) || (takes_descriptor(call) && is_file((int)strtol(end, NULL, 16)));
}

/* The letter behind the name, which is in brackets and may hold any. */
static bool in_deep_sleep(const char *text) {
    const char *at = strrchr(text, ')');
    return at && at[1] == ' ' && at[2] == 'D';
}

bool watchdog_in_files(void) {
    char path[300], text[1024];
    long self = syscall(SYS_gettid);
    bool found = false;
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *e; threads && !found && (e = readdir(threads));) {
        if (!isdigit((unsigned char)e->d_name[0]) || atol(e->d_name) == self) continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/syscall", e->d_name);
        look(path, text, sizeof text);
        found = in_call_on_file(text);
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", e->d_name);
        look(path, text, sizeof text);
        found = found || in_deep_sleep(text);
    }
    if (threads) closedir(threads);
    return found;
}
