/* The waiting side of the look at a file. A fork of a process that holds MPI is not safe (drivers
 * of networks pin its memory); posix_spawn shares the memory until the child has become a new
 * program, which is /proc/self/exe: the same library, the same version. It gets an environment
 * without MPI's variables, in which it would take itself for a rank, and without preloaded
 * libraries and plug-ins. Only how it ends, and what it says, comes back. */
#include "io/hdf5/hdf5_guard.h"

#include "src/base/log.h"
#include "src/base/pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds between two warnings. It is not given up: a child that computes without end has a limit
 * of its own, on the processor's seconds, and one that waits does so for a disk, or for a core. */
enum { WAIT_SECONDS = 60, ENVIRONMENT = 4096, SAID = 2048 };

static bool wanted;

/* Who starts programs with SIGCHLD ignored would leave us without a word of how a child ended. */
void hdf5_guard_begin(void) {
    signal(SIGCHLD, SIG_DFL);
    wanted = true;
}

/* Variables of MPI and of process managers, and what would be loaded into the child. */
static bool belongs_here(const char *variable) {
    static const char *const prefix[] = {"OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI", "SLURM_", "HYDI",
        "LD_PRELOAD=", "HDF5_PLUGIN", "OMP_"};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (strncmp(variable, prefix[i], strlen(prefix[i])) == 0) return true;
    return false;
}

/* One thread is enough; no plug-in is looked for. */
static void make_environment(char **variable) {
    int n = 0;
    for (char **e = environ; *e && n < ENVIRONMENT - 3; e++)
        if (!belongs_here(*e)) variable[n++] = *e;
    variable[n++] = (char *)(uintptr_t) "HDF5_PLUGIN_PRELOAD=::";
    variable[n++] = (char *)(uintptr_t) "OMP_NUM_THREADS=1";
    variable[n] = NULL;
}

/* 0 or an errno. *from: what the child writes. */
static int start(const char *path, pid_t *child, int *from) {
    static char *variable[ENVIRONMENT];
    char *const words[] = {(char *)(uintptr_t) "auxseg", (char *)(uintptr_t)HDF5_GUARD_COMMAND,
        (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t files;
    int end[2];
    make_environment(variable);
    if (pipe2(end, O_CLOEXEC) != 0) return errno;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, end[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, end[1], STDERR_FILENO);
    int error = posix_spawn(child, "/proc/self/exe", &files, NULL, words, variable);
    posix_spawn_file_actions_destroy(&files);
    close(end[1]);
    if (error)
        close(end[0]);
    else
        *from = end[0];
    return error;
}

/* Until the child has closed its end, which it does by ending, however it does. said [SAID] is a
 * text, cut where it is longer. */
static void listen_to(int from, const char *path, char *said) {
    size_t n = 0;
    for (;;) {
        char piece[256];
        struct pollfd p = {.fd = from, .events = POLLIN};
        int ready = poll(&p, 1, WAIT_SECONDS * 1000);
        if (ready == 0) {
            log_warn("%s: its structure is being read for %d s and more: a slow disk?", path,
                WAIT_SECONDS);
            pulse_tick(); /* this is no hang */
        }
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        ssize_t got = ready > 0 ? read(from, piece, sizeof piece) : 0;
        if (got <= 0) break;
        size_t room = SAID - 1 - n, more = (size_t)got < room ? (size_t)got : room;
        memcpy(said + n, piece, more);
        n += more;
    }
    said[n] = '\0';
}

/* The child's own message without what stands before it, in ours; or how it ended. */
static status judge(const char *path, const char *said, int how) {
    static const char unsound[] = "not a sound HDF5 file (the library %s its structure)";
    char why[96];
    bool slow = WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU;
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) {
        log_error("%s: the process that looks at it beforehand was killed: out of memory?", path);
        return STATUS_FAILED;
    }
    if (said[0] != 'w') {
        log_warn("%s: could not be looked at beforehand by a process of its own", path);
        return STATUS_OK;
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == STATUS_OK) return STATUS_OK;
    if (WIFEXITED(how) && WEXITSTATUS(how) == STATUS_DATA) {
        const char *message = strstr(said, "error: ");
        if (message) message += strlen("error: ");
        int length = message ? (int)strcspn(message, "\n") : 0;
        if (length > 0) {
            log_error("%.*s", length, message);
            return STATUS_DATA;
        }
    }
    snprintf(
        why, sizeof why, unsound, slow ? "did not answer while reading" : "crashed while reading");
    log_error("%s: %s", path, why);
    return STATUS_DATA;
}

/* Once for a file and its state: whoever replaces or changes it has it looked at again. */
static bool was_walked(const struct stat *s, bool now) {
    enum { FILES = 16 };
    static struct stat seen[FILES];
    static unsigned next;
    for (int i = 0; i < FILES && !now; i++)
        if (seen[i].st_dev == s->st_dev && seen[i].st_ino == s->st_ino && s->st_ino != 0 &&
            seen[i].st_size == s->st_size && seen[i].st_mtim.tv_sec == s->st_mtim.tv_sec &&
            seen[i].st_mtim.tv_nsec == s->st_mtim.tv_nsec)
            return true;
    if (now) seen[next++ % FILES] = *s;
    return now;
}

status hdf5_guard(const char *path) {
    struct stat s;
    pid_t child = 0;
    char said[SAID];
    int from = -1, how = 0;
    if (!wanted || stat(path, &s) != 0 || was_walked(&s, false)) return STATUS_OK;
    int error = start(path, &child, &from);
    if (error) {
        log_warn("%s: could not be looked at beforehand by a process of its own: %s", path,
            strerror(error));
        return STATUS_OK;
    }
    listen_to(from, path, said);
    close(from);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
    }
    status st = judge(path, said, how);
    if (st == STATUS_OK) was_walked(&s, true);
    return st;
}
