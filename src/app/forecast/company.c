/* Processes, not threads: what is measured is a rank of one thread, and its copies are ranks of one
 * thread, too. They are forks of this one, made while it has no threads, and say by a pipe that
 * they are at work and what memory that takes: the first one alone, so that it is known how many
 * more there may be. */
#include "src/app/forecast/company.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it prints is nobody's; it ends with the process that made it. */
static _Noreturn void go_on(int pipe, company_work *work, const void *context) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    status st = work(context);
    size_t peak = memory_peak();
    if (st == STATUS_OK && write(pipe, &peak, sizeof peak) != sizeof peak) st = STATUS_FAILED;
    close(pipe); /* the last one to do so tells that no more come */
    while (st == STATUS_OK) st = work(context);
    _exit(st);
}

static status start(company *c, int pipe, company_work *work, const void *context) {
    pid_t child = fork();
    if (child == 0) go_on(pipe, work, context);
    if (child < 0) {
        log_error("forecast: fork: %s", strerror(errno));
        return STATUS_FAILED;
    }
    c->process[c->count++] = child;
    return STATUS_OK;
}

/* `count` of them are at work. *peak: bytes of the last. A pipe that nobody writes to any more is
 * one of those who have failed. */
static status await(int pipe, int count, size_t *peak) {
    for (int i = 0; i < count; i++) {
        ssize_t n;
        do n = read(pipe, peak, sizeof *peak);
        while (n < 0 && errno == EINTR);
        if (n == sizeof *peak) continue;
        log_error("forecast: a process that was to compute beside the measured one has failed");
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* `most` of them, each with its own end of the pipe alone. */
static status start_all(
    company *c, int most, company_work *work, const void *context, size_t *peak) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_error("forecast: pipe: %s", strerror(errno));
        return STATUS_FAILED;
    }
    status st = STATUS_OK;
    int begun = c->count;
    while (c->count - begun < most && st == STATUS_OK) st = start(c, ends[1], work, context);
    close(ends[1]);
    if (st == STATUS_OK) st = await(ends[0], most, peak);
    close(ends[0]);
    return st;
}

status company_create(company *out, int most, company_work *work, const void *context) {
    size_t peak = 0;
    *out = (company){0};
    if (most <= 0) return STATUS_OK;
    company c = {.process = memory_alloc((size_t)most, sizeof *c.process, "processes")};
    status st = c.process ? start_all(&c, 1, work, context, &peak) : STATUS_FAILED;
    if (st == STATUS_OK && peak > 0) {
        size_t fit = memory_available("") / peak;
        int more = fit < (size_t)most ? (int)fit - 1 : most - 1; /* room for this process, too */
        if (more > 0) st = start_all(&c, more, work, context, &peak);
    }
    if (st == STATUS_OK)
        *out = c;
    else
        company_destroy(&c);
    return st;
}

void company_destroy(company *c) {
    for (int i = 0; i < c->count; i++) kill(c->process[i], SIGKILL);
    for (int i = 0; i < c->count; i++)
        while (waitpid(c->process[i], NULL, 0) < 0 && errno == EINTR) continue;
    memory_free(c->process);
    *c = (company){0};
}
