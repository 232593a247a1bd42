#include "src/base/log.h"

#include "src/base/timer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096 };

static int log_rank, log_size = 1;
static atomic_bool unfinished; /* the terminal's line is a progress that will be rewritten */

void log_set_rank(int rank, int size) {
    log_rank = rank;
    log_size = size;
}

/* One line in one write: lines of several threads and ranks do not mix. */
static void write_line(int to, const char *prefix, const char *format, va_list arguments) {
    char line[LINE];
    const char *wipe = atomic_exchange(&unfinished, false) ? "\r\033[K" : "";
    int used = snprintf(line, sizeof line, "%s%s", wipe, prefix);
    int more = vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    size_t length = more < 0 ? (size_t)used : (size_t)used + (size_t)more;
    if (length > sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    fflush(stdout);
    if (write(to, line, length) < 0) return;
}

static void write_message(const char *kind, const char *format, va_list arguments) {
    char prefix[64];
    if (log_size > 1)
        snprintf(prefix, sizeof prefix, "auxseg: rank %d: %s: ", log_rank, kind);
    else
        snprintf(prefix, sizeof prefix, "auxseg: %s: ", kind);
    write_line(STDERR_FILENO, prefix, format, arguments);
}

void log_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_message("error", format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_message("warning", format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...) {
    if (log_rank != 0) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(STDOUT_FILENO, "", format, arguments);
    va_end(arguments);
}

/* mpirun gives every rank a terminal of its own, even where its own output goes to a file. */
static bool on_terminal(void) {
    char name[64], target[64];
    if (!isatty(STDOUT_FILENO)) return false;
    snprintf(name, sizeof name, "/proc/%d/fd/1", (int)getppid());
    ssize_t length = readlink(name, target, sizeof target - 1);
    if (length < 0) return true;
    target[length] = '\0';
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

progress progress_begin(const char *what, const char *unit, int64_t begin, int64_t total) {
    double now = timer_now();
    return (progress){what, unit, begin, total, now, now, 1};
}

static void time_text(double seconds, char *text, size_t size) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

static void show(progress *p, int64_t done, const char *note, const char *end) {
    char left[32], line[512];
    double spent = timer_now() - p->started;
    double rate = spent > 0 ? (double)(done - p->begin) / spent : 0;
    time_text(rate > 0 ? (double)(p->total - done) / rate : 0, left, sizeof left);
    int n = snprintf(line, sizeof line, "%s%s: %lld of %lld %s, %.3g %s/s, %s left%s%s%s",
        end[0] == '\n' ? "" : "\r", p->what, (long long)done, (long long)p->total, p->unit, rate,
        p->unit, left, note[0] ? ", " : "", note, end);
    if (n > 0 &&
        write(STDOUT_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
        return;
}

void progress_update(progress *p, int64_t done, const char *note) {
    if (log_rank != 0) return;
    double now = timer_now();
    if (now - p->printed < 0.2) return;
    bool terminal = on_terminal();
    if (!terminal && now - p->printed < p->pause) return;
    p->printed = now;
    if (p->pause < 30) p->pause *= 2;
    show(p, done, note, terminal ? "\033[K" : "\n");
    atomic_store(&unfinished, terminal);
}

void progress_end(progress *p, int64_t done, const char *note) {
    if (log_rank != 0) return;
    atomic_store(&unfinished, false);
    show(p, done, note, on_terminal() ? "\033[K\n" : "\n");
}
