/* What every writer of this program relies on: a name holds the old contents or the new ones, never
 * a part. Killed at any moment, a write leaves a temporary file that the next one replaces. What
 * has been renamed is on the disk: without the fsync of the file a power failure may leave a name
 * with no contents, without that of its folder a name that is gone. The temporary file lies beside
 * its target, as a rename is atomic within one file system alone. Not locked: of one file there is
 * one writer, which the folder's LOCK and rank 0 see to. */
#include "io/files/file.h"

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Bytes of one read or write: Linux moves at most 2 GiB - 4 KiB. */
enum { PIECE = 1 << 30, HASH_PIECE = 1 << 22 };

status file_path(char *path, const char *folder, const char *name) {
    int n = folder[0] ? snprintf(path, FILE_PATH, "%s/%s", folder, name)
                      : snprintf(path, FILE_PATH, "%s", name);
    if (n >= 0 && n < FILE_PATH) return STATUS_OK;
    log_error("%s/%s: path longer than %d bytes", folder, name, FILE_PATH - 1);
    return STATUS_USAGE;
}

static bool is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* Another rank, or another job, may make the same folder at the same time: that it is there
 * afterwards is all that counts. */
status file_make_folder(const char *path) {
    char part[FILE_PATH];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) {
        log_error("\"%s\": no folder can have this name", path);
        return STATUS_USAGE;
    }
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        char end = part[i];
        part[i] = '\0';
        int error = mkdir(part, 0777) != 0 ? errno : 0; /* before is_folder sets another one */
        if (error && !is_folder(part)) {
            log_error("%s: cannot make this folder: %s", part,
                error == EEXIST ? "there is a file of this name" : strerror(error));
            return STATUS_OUTPUT;
        }
        part[i] = end;
    }
    return STATUS_OK;
}

/* Of any kind, a folder included: whoever opens it learns more. */
int file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int file_same(const char *a, const char *b) {
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

status file_temporary(char *temporary, const char *path) {
    int n = snprintf(temporary, FILE_PATH, "%s" FILE_TEMPORARY, path);
    if (n >= 0 && n < FILE_PATH) return STATUS_OK;
    log_error("%s: path too long", path);
    return STATUS_USAGE;
}

/* A name that the next writer takes may stand there still, as a file that a kill has left, or as a
 * link that somebody else has put into a folder that others may write to: it goes, and what is
 * written is a new file that only this process has made. */
int file_create_temporary(const char *temporary) {
    if (unlink(temporary) != 0 && errno != ENOENT) return -1;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    return open_retry(temporary, flags, 0666);
}

/* Linux has closed it when a signal interrupts the call: to call again would close another's. */
int file_close(int fd) {
    return close(fd) == 0 || errno == EINTR ? 0 : -1;
}

/* Whether what was written under `path` (a file or a folder) is on the disk. Any descriptor of a
 * file will do for fsync: the one that wrote is closed. errno is fsync's, whatever close sets. */
static bool flush(const char *path, int flags) {
    int fd = open_retry(path, flags | O_CLOEXEC, 0);
    if (fd < 0) return false;
    /* Some file systems cannot fsync a folder: nothing can be done about it there. */
    bool ok = fsync(fd) == 0 || ((flags & O_DIRECTORY) && errno == EINVAL);
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

/* The folder that the name stands in: a rename is a change of the folder, not of the file. */
static bool flush_folder(const char *path) {
    char folder[FILE_PATH];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof folder) return false;
    memcpy(folder, path, n);
    folder[n] = '\0';
    return flush(n ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY);
}

/* The order matters: contents before name, name before folder. */
status file_publish(const char *temporary, const char *path) {
    if (flush(temporary, O_RDONLY) && rename(temporary, path) == 0 && flush_folder(path))
        return STATUS_OK;
    log_error("%s: cannot be written: %s", path, strerror(errno));
    unlink(temporary);
    return STATUS_OUTPUT;
}

/* Why the last call failed, with what is free where the disk is full or a quota reached. */
static status cannot_write(int fd, const char *path, uint64_t wanted) {
    struct statvfs disk;
    int why = errno;
    bool full = why == ENOSPC || why == EDQUOT;
    if (full && fstatvfs(fd, &disk) == 0)
        log_error("%s: cannot be written: %s: %llu bytes are wanted, %llu are free", path,
            strerror(why), (unsigned long long)wanted,
            (unsigned long long)disk.f_bavail * disk.f_frsize);
    else
        log_error("%s: cannot be written: %s", path, strerror(why));
    return STATUS_OUTPUT;
}

/* A write may be short, on network file systems for no reason at all. */
static bool write_all(int fd, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = write(fd, at, bytes < PIECE ? bytes : PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Written from the parts where they lie, under the temporary name: on any error what is there under
 * the file's own name is as it was. */
status file_write_parts(const char *path, const file_part *part, int parts) {
    char temporary[FILE_PATH];
    status st = file_temporary(temporary, path);
    if (st != STATUS_OK) return st;
    uint64_t wanted = 0;
    for (int i = 0; i < parts; i++) wanted += part[i].bytes;
    int fd = file_create_temporary(temporary);
    bool ok = fd >= 0;
    for (int i = 0; ok && i < parts; i++) ok = write_all(fd, part[i].data, part[i].bytes);
    /* By the descriptor that wrote: another one may not be told of what this one's writes met. */
    ok = ok && fsync(fd) == 0;
    if (!ok) {
        /* What is free counts without what was written. */
        int why = errno;
        if (fd >= 0 && ftruncate(fd, 0) != 0) log_detail("%s: not cut", temporary);
        errno = why;
        cannot_write(fd, path, wanted);
    }
    /* close may tell of errors that no write has told of (quotas on NFS). */
    if (fd >= 0 && file_close(fd) != 0 && ok) {
        ok = false;
        log_error("%s: cannot be written: %s", path, strerror(errno));
    }
    if (ok) return file_publish(temporary, path);
    if (fd >= 0) unlink(temporary);
    return STATUS_OUTPUT;
}

/* The usual case: one part. */
status file_write(const char *path, const void *data, size_t bytes) {
    return file_write_parts(path, &(file_part){data, bytes}, 1);
}

/* Folders, devices and pipes have no size that memory could be taken for. */
status file_open(const char *path, int *fd, uint64_t *bytes) {
    struct stat s;
    /* O_NONBLOCK: a named pipe must be refused, not waited for. */
    int f = open_retry(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (f < 0 || fstat(f, &s) != 0) {
        log_error("%s: cannot be read: %s", path, strerror(errno));
    } else if (!S_ISREG(s.st_mode)) {
        log_error("%s: %s", path,
            S_ISDIR(s.st_mode) ? "a folder; a file is needed here" : "not a regular file");
    } else {
        *fd = f;
        *bytes = (uint64_t)s.st_size;
        return STATUS_OK;
    }
    if (f >= 0) close(f);
    return STATUS_DATA;
}

bool file_is_regular(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

int file_unreadable(const char *path) {
    char byte;
    struct stat s;
    int fd = open_retry(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    int why = fstat(fd, &s) != 0 ? errno : 0;
    bool filled = why == 0 && S_ISREG(s.st_mode) && s.st_size > 0;
    while (filled && why == 0 && pread(fd, &byte, 1, s.st_size - 1) < 0)
        if (errno != EINTR) why = errno;
    close(fd);
    return why;
}

/* pread, so that threads may share the descriptor. */
status file_read_at(int fd, const char *path, uint64_t offset, void *data, size_t bytes) {
    char *at = data;
    while (bytes > 0) {
        ssize_t n = pread(fd, at, bytes < PIECE ? bytes : PIECE, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            log_error("%s: cannot be read: %s", path, n < 0 ? strerror(errno) : "ends too early");
            return STATUS_DATA;
        }
        at += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return STATUS_OK;
}

/* A full disk is told before the work, not after it. Linux's fallocate, not posix_fallocate: that
 * one writes zeros where the file system cannot reserve. */
status file_reserve(int fd, const char *path, uint64_t offset, uint64_t bytes) {
    int got;
    do got = bytes > 0 ? fallocate(fd, 0, (off_t)offset, (off_t)bytes) : 0;
    while (got != 0 && errno == EINTR);
    /* File systems that cannot reserve say so: the write itself will tell. */
    bool cannot_promise = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
    return got == 0 || cannot_promise ? STATUS_OK : cannot_write(fd, path, bytes);
}

/* In place, in a file that nobody reads yet: whoever has all parts publishes it. */
status file_write_at(int fd, const char *path, uint64_t offset, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = pwrite(fd, at, bytes < PIECE ? bytes : PIECE, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_write(fd, path, bytes);
        at += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return STATUS_OK;
}

/* The zero byte after the end lets text be parsed without a length. */
status file_read(const char *path, size_t limit, void **data, size_t *bytes) {
    int fd;
    uint64_t size;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    char *all = NULL;
    /* Before memory is taken: a file of any size may be named by mistake. */
    if (size > limit) {
        log_error("%s: %llu bytes; at most %zu are read", path, (unsigned long long)size, limit);
        st = STATUS_DATA;
    } else if (!(all = memory_alloc((size_t)size + 1, 1, path))) {
        st = STATUS_FAILED;
    } else {
        st = file_read_at(fd, path, 0, all, (size_t)size);
    }
    close(fd);
    if (st != STATUS_OK) {
        memory_free(all);
        return st;
    }
    *data = all;
    *bytes = (size_t)size;
    return STATUS_OK;
}

/* A mapped file would be shorter to write, and dies of SIGBUS when someone cuts it short. Piece by
 * piece, so that a file of any size takes a few MiB; the hash is that of the bytes, whatever the
 * pieces. */
status file_hash(const char *path, uint64_t *hash) {
    int fd;
    uint64_t size, h = 0;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    char *piece = memory_alloc(HASH_PIECE, 1, "file checksum");
    if (!piece) st = STATUS_FAILED;
    for (uint64_t at = 0; st == STATUS_OK && at < size; at += HASH_PIECE) {
        size_t n = size - at < HASH_PIECE ? (size_t)(size - at) : HASH_PIECE;
        st = file_read_at(fd, path, at, piece, n);
        if (st == STATUS_OK) h = hash_append(h, piece, n);
    }
    memory_free(piece);
    close(fd);
    if (st == STATUS_OK) *hash = h;
    return st;
}
