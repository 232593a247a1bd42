/* Children run one after another, on as many cores as is asked for: a point of a study with one
 * rank that lets its loader or the kernel's helpers use a second core would make two ranks look
 * bad. Which cores these are is set before the launcher starts, so that any launcher will do.
 *
 * A child has a session of its own: Ctrl-C reaches this process alone, which tells the child in the
 * one way that mpirun hands on and waits for (USR1; jobs/mpirun.sh). If this process is killed, the
 * kernel tells the child. */
#include "src/app/stage/child_process.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK = 20000, LAST_LINE = 400 }; /* microseconds between two looks */

/* The first hyperthread of the core that processor i belongs to; i itself where the system does not
 * say. */
static size_t first_sibling(size_t i) {
    char path[128];
    size_t first = i;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", i);
    FILE *f = fopen(path, "r");
    if (!f) return i;
    if (fscanf(f, "%zu", &first) != 1) first = i;
    fclose(f);
    return first;
}

bool child_process_is_there(const char *name) {
    const char *folder = getenv("PATH");
    char path[FILE_PATH];
    if (strchr(name, '/')) return access(name, X_OK) == 0;
    for (size_t n; folder; folder = folder[n] ? folder + n + 1 : NULL) {
        n = strcspn(folder, ":");
        int used = snprintf(path, sizeof path, "%.*s/%s", (int)n, folder, name);
        if (n > 0 && used < FILE_PATH && access(path, X_OK) == 0) return true;
    }
    return false;
}

int child_process_processors(void) {
    cpu_set_t mine;
    if (sched_getaffinity(0, sizeof mine, &mine) == 0) return CPU_COUNT(&mine);
    /* A system of more processors than a set has places for. */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/* `cores` of this process's: a processor of each physical core first, then the others. Returns how
 * many physical ones are among them. */
static int choose_cores(int cores, cpu_set_t *chosen) {
    cpu_set_t mine, seen;
    int physical = 0, taken = 0;
    CPU_ZERO(chosen);
    CPU_ZERO(&seen);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0) return cores;
    /* A second hyperthread adds little of what the first one does: a point of two cores on two
     * threads of one would look like bad scaling. */
    for (size_t i = 0; i < CPU_SETSIZE && taken < cores; i++) {
        size_t first = first_sibling(i);
        if (!CPU_ISSET(i, &mine) || first >= CPU_SETSIZE || CPU_ISSET(first, &seen)) continue;
        CPU_SET(first, &seen);
        CPU_SET(i, chosen);
        physical++;
        taken++;
    }
    for (size_t i = 0; i < CPU_SETSIZE && taken < cores; i++) {
        if (!CPU_ISSET(i, &mine) || CPU_ISSET(i, chosen)) continue;
        CPU_SET(i, chosen);
        taken++;
    }
    return physical;
}

int child_process_physical(int cores) {
    cpu_set_t chosen;
    return choose_cores(cores, &chosen);
}

/* Between fork and exec: nothing here allocates or logs. 126 and 127 as a shell has them. */
static void become(const child_process *c, const cpu_set_t *cores) {
    setsid(); /* away from the terminal's Ctrl-C */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || null < 0) _exit(126);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    if (c->cores > 0 && CPU_COUNT(cores) > 0) sched_setaffinity(0, sizeof *cores, cores);
    execvp(c->word[0], c->word);
    _exit(127);
}

/* What a reader of the log would look for: the last error of the program, else the first line with
 * a word in it, as launchers begin with what is wrong and end with advice. */
static void find_reason(const char *path, char *text) {
    char line[LAST_LINE];
    bool found = false;
    FILE *f = fopen(path, "r");
    snprintf(text, LAST_LINE, "nothing is in it");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        bool word = strpbrk(line, "abcdefghijklmnopqrstuvwxyz");
        if (strstr(line, "error:") || (word && !found)) snprintf(text, LAST_LINE, "%s", line);
        found = found || word;
    }
    if (f) fclose(f);
}

/* Whether a code is one of this program's. */
static bool known(int code) {
#define STATUS_CASE(name_, code_, text_) case code_:
    switch (code) {
        STATUS_LIST(STATUS_CASE)
        return true;
    }
#undef STATUS_CASE
    return false;
}

/* What the child's end means. One that was told to stop has stopped, whatever code its launcher
 * made of it: Open MPI's may be 1. */
static status code_of(const child_process *c, int ended) {
    char said[LAST_LINE];
    int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    if (code == 0) return STATUS_OK;
    if (stop_requested()) return STATUS_STOPPED;
    if (code == 127) {
        log_error("%s: %s cannot be started", c->command, c->word[0]);
        return STATUS_FAILED;
    }
    find_reason(c->log, said);
    log_error("%s: code %d, log %s: %s", c->command, code, c->log, said);
    return known(code) ? (status)code : STATUS_FAILED;
}

/* Looks now and then, so that a request to stop is seen without a signal being lost between the
 * look and the wait. */
status child_process_run(const child_process *c) {
    cpu_set_t cores;
    char threads[16];
    int ended = 0;
    bool told = false;
    snprintf(threads, sizeof threads, "%d", c->threads);
    choose_cores(c->cores, &cores);
    setenv("OMP_NUM_THREADS", threads, 1); /* this process has no threads of OpenMP's */
    if (stop_requested()) return STATUS_STOPPED;
    pid_t child = fork();
    if (child < 0) {
        log_error("%s: no further process: %s", c->command, strerror(errno));
        return STATUS_FAILED;
    }
    if (child == 0) become(c, &cores);
    for (pid_t got = 0; got == 0 || (got < 0 && errno == EINTR);) {
        got = waitpid(child, &ended, WNOHANG);
        if (got == 0 && stop_requested() && !told) told = kill(child, SIGUSR1) == 0;
        if (got == 0) usleep(LOOK);
    }
    return code_of(c, ended);
}
