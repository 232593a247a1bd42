/* The lock of a folder. The owner's line says who he is: host, process, its start and its namespace
 * (so that another container's process of the same number is not taken for it), job. Whoever finds
 * a lock whose owner is gone removes it under a second file, so that of two who find it at once one
 * alone goes on. Ages are differences of two times of the same file system, never of its clock and
 * this host's, which may be minutes apart. What cannot be told (another host's process, a line that
 * makes no sense) is taken for alive until the lock is LOCK_STALE seconds old: two jobs that write
 * into one folder are worse than one that is refused. */
#include "io/files/lock.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"
#include "src/base/stop.h"
#include "src/base/thread.h"
#include "src/base/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 128 };
enum { BESIDE = FILE_PATH + 128 }; /* longest name beside a lock */

typedef struct owner {
    char host[TEXT], space[TEXT], job[TEXT]; /* space: the namespace of process numbers */
    long process;
    unsigned long long born; /* of the process, in ticks since the host's start; 0: not known */
    int start;               /* of the job: how often it was requeued before */
    long long taken;         /* nanoseconds since 1970: two locks of a process differ */
} owner;

struct file_lock {
    char path[FILE_PATH];
    char line[LOCK_LINE];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool done, threaded;
};

/* Field 22 of /proc/PID/stat, counted behind the name in brackets; 0: no such process, one that has
 * ended and waits for its parent, or no /proc. */
static unsigned long long born_of(long process) {
    char path[64], text[1024], state = 0;
    unsigned long long born = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at, ") %c", &state) != 1 || state == 'Z' || state == 'X') return 0;
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    if (at) sscanf(at, "%llu", &born);
    return born;
}

/* Whether a process of this host, as it was when the lock was made, still lives. Numbers of
 * processes come again: the same number with another birth is another process. kill fails otherwise
 * for one of another user, which lives. */
static bool lives(const owner *o) {
    if (kill((pid_t)o->process, 0) != 0 && errno == ESRCH) return false;
    return o->born == 0 || born_of(o->process) == o->born; /* 0: this host has no /proc */
}

/* Words of the owner's line hold no spaces. */
static void one_word(char *text) {
    if (!text[0]) strcpy(text, "-");
    for (char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~') *c = '_';
}

/* What this process writes into a lock. Every text is one word, "-" where there is none, as the
 * line is read by words. */
static owner this_process(const char *job, int start) {
    owner o = {.process = (long)getpid(), .start = start};
    struct timespec now;
    if (gethostname(o.host, sizeof o.host - 1) != 0) o.host[0] = 0;
    if (readlink("/proc/self/ns/pid", o.space, sizeof o.space - 1) < 0) o.space[0] = 0;
    snprintf(o.job, sizeof o.job, "%s", job);
    o.born = born_of(o.process);
    clock_gettime(CLOCK_REALTIME, &now);
    o.taken = now.tv_sec * 1000000000LL + now.tv_nsec;
    one_word(o.host);
    one_word(o.space);
    one_word(o.job);
    return o;
}

/* The form that read_owner reads: what is added to one must be added to the other. */
static int print_owner(const owner *o, char *line) {
    return snprintf(line, LOCK_LINE, "%s %ld %llu %s %s %d %lld\n", o->host, o->process, o->born,
        o->space, o->job, o->start, o->taken);
}

/* What a lock says. False: it says nothing that makes sense (it is just being written, say). */
static bool read_owner(const char *path, owner *o, struct stat *s) {
    char line[LOCK_LINE] = "";
    int fd = open_retry(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) return false;
    ssize_t n = fstat(fd, s) == 0 ? read(fd, line, sizeof line - 1) : -1;
    close(fd);
    return n > 0 && sscanf(line, "%127s %ld %llu %127s %127s %d %lld", o->host, &o->process,
                        &o->born, o->space, o->job, &o->start, &o->taken) == 7;
}

/* A new file with this one's line; errno tells why not: EEXIST, there is one. O_NOFOLLOW, so that a
 * link in a folder that others may write to leads nowhere. A file whose line could not be written
 * goes again. */
static bool write_file(const char *path, const owner *o) {
    char line[LOCK_LINE];
    int n = print_owner(o, line);
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = open_retry(path, flags, 0644);
    if (fd < 0) return false;
    bool ok = write(fd, line, (size_t)n) == n;
    int why = errno;
    if (file_close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (!ok) unlink(path);
    errno = why;
    return ok;
}

/* A name of this process's own beside the lock; `what` tells those of one time apart. */
static void name_beside(char *beside, const char *path, const char *what, long long time) {
    snprintf(beside, BESIDE, "%s.%s-%ld-%lld", path, what, (long)getpid(), time);
}

/* What to say of a link that could not be made: one that a server made, and whose answer was lost,
 * was made (NFS). */
static bool was_linked(const char *beside) {
    struct stat s;
    int why = errno;
    bool made = stat(beside, &s) == 0 && s.st_nlink == 2;
    errno = why;
    return made;
}

/* As write_file, and whoever sees the file sees all of its line: it is written beside, and gets its
 * name by a link, which as O_EXCL makes one of several the owner. A process that is killed while it
 * makes an empty file, and writes into it, would keep everybody out: nobody could tell whose it
 * is. Where a file system has no links, that remains. */
static bool make_file(const char *path, const owner *o) {
    char beside[BESIDE];
    name_beside(beside, path, "new", o->taken);
    unlink(beside);
    if (!write_file(beside, o)) return false;
    bool ok = link(beside, path) == 0 || was_linked(beside);
    int why = errno;
    unlink(beside);
    errno = why;
    if (ok || why == EEXIST) return ok;
    return write_file(path, o);
}

/* Seconds since the file was touched, by the clock of its file system: that of a new file beside
 * it. */
static double age_of(const char *path, const struct stat *touched) {
    char beside[BESIDE];
    struct stat now = {0};
    owner nobody = {0};
    name_beside(beside, path, "age", 0);
    unlink(beside);
    bool ok = write_file(beside, &nobody) && stat(beside, &now) == 0;
    unlink(beside);
    return ok ? difftime(now.st_mtime, touched->st_mtime) : 0;
}

/* Why the owner is gone, or NULL: it may be there. A process is asked for only where its number
 * means something here: on this host, in this namespace. An earlier start of the same job is gone
 * wherever it ran, as a batch system requeues a job only after it has ended. */
static const char *why_gone(const owner *o, const owner *self, double age) {
    bool here = strcmp(o->host, self->host) == 0 && strcmp(o->space, self->space) == 0;
    bool job = strcmp(o->job, "-") != 0 && strcmp(o->job, self->job) == 0;
    /* A process that is stopped, or waits for its disk, is slow to touch the lock but has it. */
    if (here) return lives(o) ? NULL : "its process has ended";
    if (job && o->start < self->start) return "it is an earlier start of this job";
    return age > LOCK_STALE ? "it has shown no sign of life" : NULL;
}

static status refuse(const char *path, const owner *o, bool known, double age) {
    if (known)
        log_error("%s: another job works in this folder: process %ld on %s, job %s, alive %.0f s "
                  "ago. If it is gone, wait %d s or remove the file",
            path, o->process, o->host, o->job, age > 0 ? age : 0, LOCK_STALE);
    else
        log_error("%s: another job works in this folder, or has just begun to. If there is none, "
                  "wait %d s or remove the file",
            path, LOCK_STALE);
    return STATUS_USAGE;
}

/* The lock that is in the way, as it was last seen. */
typedef struct obstacle {
    owner owner;
    bool known; /* the owner could be read */
    double age;
} obstacle;

/* What is known of the lock at `path`; false: there is none. *why: its owner is gone, or NULL. */
static bool look(
    const char *path, const owner *self, obstacle *by, struct stat *judged, const char **why) {
    *by = (obstacle){0};
    by->known = read_owner(path, &by->owner, judged);
    if (!by->known && stat(path, judged) != 0) return false;
    by->age = age_of(path, judged);
    *why = by->known              ? why_gone(&by->owner, self, by->age)
           : by->age > LOCK_STALE ? "it has shown no sign of life"
                                  : NULL;
    return true;
}

/* Whether the file at a lock's path says the line. Its number does not tell: a file that takes its
 * place may get the same. NOTHING: it is not there, not written yet, or cannot be read for now. */
typedef enum saying { NOTHING, THIS_LINE, ANOTHER_LINE } saying;

static saying says(const char *path, const char *line) {
    char have[LOCK_LINE];
    owner o;
    struct stat s;
    if (!read_owner(path, &o, &s)) return NOTHING;
    print_owner(&o, have);
    return strcmp(have, line) == 0 ? THIS_LINE : ANOTHER_LINE;
}

/* The guard that makes one of several the remover of a lock. One that a killed process has left
 * goes as locks do: by a name of this one's own, so that of two who have judged it one gets it; who
 * has caught another's by that gives it back. */
static bool make_guard(const char *guard, const owner *self) {
    obstacle by;
    struct stat judged;
    owner caught = {0};
    const char *why = NULL;
    char beside[BESIDE];
    if (look(guard, self, &by, &judged, &why) && why) {
        name_beside(beside, guard, "gone", self->taken);
        if (rename(guard, beside) == 0) {
            bool other = read_owner(beside, &caught, &judged) && caught.taken != by.owner.taken;
            bool lost = other && link(beside, guard) != 0; /* a third has made one */
            unlink(beside);
            if (lost) return false;
        }
    }
    return make_file(guard, self);
}

/* Whether the lock still is the one that was judged: a file that takes its place may get the same
 * number in the same second, but not the same line. */
static bool is_same(const char *path, const obstacle *by, const struct stat *judged) {
    struct stat now;
    owner o = {0};
    bool known = read_owner(path, &o, &now);
    bool same = (known || stat(path, &now) == 0) && known == by->known &&
                now.st_ino == judged->st_ino && now.st_mtime == judged->st_mtime;
    if (!known) return same;
    return same && o.process == by->owner.process && o.taken == by->owner.taken &&
           strcmp(o.host, by->owner.host) == 0;
}

/* Removes a lock whose owner is gone. Without the guard the second of two could unlink the lock
 * that the first has made meanwhile; a guard that says another's line is not touched. False: try
 * again later. */
static bool remove_stale(
    const char *path, const obstacle *by, const struct stat *judged, const owner *self) {
    char guard[FILE_PATH + 32], line[LOCK_LINE];
    snprintf(guard, sizeof guard, "%s.takeover", path);
    print_owner(self, line);
    if (!make_guard(guard, self)) return false;
    bool gone = is_same(path, by, judged) && says(guard, line) == THIS_LINE && unlink(path) == 0;
    if (says(guard, line) == THIS_LINE) unlink(guard);
    return gone;
}

/* One try: TAKEN; BLOCKED by *by; or the lock that was in the way is GONE. */
typedef enum attempt { TAKEN, BLOCKED, GONE, IMPOSSIBLE } attempt;

static attempt try_once(file_lock *l, const owner *self, obstacle *by) {
    struct stat judged = {0};
    if (make_file(l->path, self)) return TAKEN;
    if (errno != EEXIST) {
        log_error("%s: %s", l->path, strerror(errno));
        return IMPOSSIBLE;
    }
    const char *why;
    if (!look(l->path, self, by, &judged, &why)) return errno == ENOENT ? GONE : BLOCKED;
    if (!why || !remove_stale(l->path, by, &judged, self)) return BLOCKED;
    log_info("%s: taken over from process %ld on %s: %s", l->path, by->owner.process,
        by->known ? by->owner.host : "an unknown host", why);
    return GONE;
}

/* Tries until it has the lock, or has waited long enough for another owner. A lock that is gone is
 * tried for at once, as others may be waiting, too. Patience is for a killed job's last seconds. */
static status try_all(file_lock *l, const owner *self, const file_lock_options *o) {
    enum { PAUSE = 100000 }; /* microseconds */
    obstacle by = {0};
    double until = timer_now() + o->patience;
    for (;;) {
        switch (try_once(l, self, &by)) {
        case TAKEN:
            return STATUS_OK;
        case IMPOSSIBLE:
            return STATUS_OUTPUT;
        case BLOCKED:
            if (timer_now() >= until)
                return o->quiet ? STATUS_USAGE : refuse(l->path, &by.owner, by.known, by.age);
            usleep(PAUSE);
            break;
        case GONE:
            break;
        }
    }
}

/* Touches the lock until it is released: that is what proves life to other hosts. It ends at once
 * when `done` is signalled. Where another job's stands in its place (this process was stopped for
 * minutes, say), the run ends as if it had been told to stop: the other writes in the folder. */
static void *keep_alive(void *context) {
    file_lock *l = context;
    struct timespec until;
    bool lost = false;
    pthread_mutex_lock(&l->mutex);
    while (!l->done) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOCK_TOUCH;
        if (pthread_cond_timedwait(&l->wake, &l->mutex, &until) == ETIMEDOUT && !lost) {
            lost = says(l->path, l->line) == ANOTHER_LINE;
            if (lost) {
                log_error("%s: another job has taken this folder over: this one stops", l->path);
                stop_now();
            } else {
                utimensat(AT_FDCWD, l->path, NULL, 0);
            }
        }
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static bool start_thread(file_lock *l) {
    pthread_condattr_t clock;
    pthread_mutex_init(&l->mutex, NULL);
    /* Not the time of day, which somebody may set back: the lock would look abandoned. */
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&l->wake, &clock);
    pthread_condattr_destroy(&clock);
    l->threaded = thread_start(&l->thread, keep_alive, l) == 0;
    return l->threaded;
}

const char *file_lock_job_name(void) {
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return getenv(names[i]);
    return NULL;
}

file_lock_options file_lock_this_job(void) {
    const char *job = file_lock_job_name(), *restarts = getenv("SLURM_RESTART_COUNT");
    return (file_lock_options){.job = job ? job : "", .start = restarts ? atoi(restarts) : 0};
}

status file_lock_take(file_lock **out, const char *folder, const file_lock_options *o) {
    owner self = this_process(o->job, o->start);
    file_lock *l = memory_alloc(1, sizeof *l, "lock");
    if (!l) return STATUS_FAILED;
    print_owner(&self, l->line);
    status st = file_path(l->path, folder, LOCK_NAME);
    if (st == STATUS_OK) st = try_all(l, &self, o);
    if (st != STATUS_OK) {
        memory_free(l);
        return st;
    }
    if (!start_thread(l)) {
        log_error("%s: no thread to keep it", l->path);
        file_lock_release(l);
        return STATUS_FAILED;
    }
    *out = l;
    return STATUS_OK;
}

const char *file_lock_line(const file_lock *l) {
    return l->line;
}

bool file_lock_says(const char *folder, const char *line) {
    char path[FILE_PATH];
    return file_path(path, folder, LOCK_NAME) == STATUS_OK && says(path, line) == THIS_LINE;
}

bool file_lock_held(const char *folder) {
    char path[FILE_PATH];
    struct stat judged;
    obstacle by;
    const char *why;
    owner self = this_process("", 0);
    if (file_path(path, folder, LOCK_NAME) != STATUS_OK) return false;
    return look(path, &self, &by, &judged, &why) && !why;
}

void file_lock_release(file_lock *l) {
    if (!l) return;
    if (l->threaded) {
        pthread_mutex_lock(&l->mutex);
        l->done = true;
        pthread_cond_signal(&l->wake);
        pthread_mutex_unlock(&l->mutex);
        pthread_join(l->thread, NULL);
    }
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->mutex);
    if (says(l->path, l->line) == THIS_LINE) unlink(l->path);
    memory_free(l);
}
