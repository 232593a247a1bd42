/* Lines of the log, each written by one write(2): what threads and ranks say does not mix, and
 * nothing is lost in a buffer where a job is killed. */
#include "src/base/log.h"

#include "src/base/plain.h"
#include "src/base/pulse.h"
#include "src/base/timer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A pipe takes LINE bytes in one piece under Linux (PIPE_BUF): a longer line could be torn. */
enum { LINE = 4096, STAMP = 64 };

/* These are set before the process has several threads; day and unfinished change with each line,
 * by whichever thread writes it. */
static int log_rank, log_size = 1;
static bool with_times, verbose;
static atomic_int day = -1;    /* of the year, of rank 0's last line */
static atomic_bool unfinished; /* the terminal's line is a progress that will be rewritten */

void log_set_rank(int rank, int size) {
    log_rank = rank;
    log_size = size;
}

void log_set_times(bool on) {
    with_times = on;
    atomic_store(&day, -1);
}

void log_set_verbose(bool on) {
    verbose = on;
}

/* text [STAMP]: "14:03:59 ", before it a line with the date where `dated` and it is another than
 * the last line's: without it the hours of a job of several days say little. */
static size_t stamp(char *text, bool dated) {
    struct tm now;
    time_t seconds = time(NULL);
    size_t used = 0;
    text[0] = '\0';
    if (!with_times || !localtime_r(&seconds, &now)) return 0;
    if (dated && atomic_exchange(&day, now.tm_yday) != now.tm_yday)
        used = strftime(text, STAMP, "%H:%M:%S date %Y-%m-%d\n", &now);
    return used + strftime(text + used, STAMP - used, "%H:%M:%S ", &now);
}

/* One line in one write: lines of several threads and ranks do not mix. A line that is too long is
 * cut and still ends as one. What stdio holds goes first, as it was printed first. A log that
 * cannot be written has no place to say so. */
static void write_line(int to, const char *prefix, const char *format, va_list arguments) {
    char line[LINE], when[STAMP], message[LINE];
    const char *wipe = atomic_exchange(&unfinished, false) ? "\r\033[K" : "";
    stamp(when, to == STDOUT_FILENO);
    int used = snprintf(line, sizeof line, "%s%s%s", wipe, when, prefix);
    size_t length = (size_t)used;
    if (vsnprintf(message, sizeof message, format, arguments) >= 0)
        length += plain_line(line + used, sizeof line - 1 - (size_t)used, message);
    line[length++] = '\n';
    fflush(stdout);
    if (write(to, line, length) < 0) return;
}

/* Which rank is in trouble is half of the message, where there are several. */
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

/* Rank 0 is asked first in all of these: what other ranks leave unsaid must not cost them time. */
/* A stop that was asked for is no failure. */
void log_result(status st) {
    if (st == STATUS_OK)
        log_info("Result: PASS");
    else
        log_info("Result: %s (code %d: %s)", st == STATUS_STOPPED ? "STOPPED" : "FAIL", (int)st,
            status_text(st));
}

void log_detail(const char *format, ...) {
    if (log_rank != 0 || !verbose) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(STDOUT_FILENO, "", format, arguments);
    va_end(arguments);
}

/* mpirun gives every rank a terminal of its own, even where its own output goes to a file. So the
 * parent is asked where its output goes, if it is ours to ask: a line that is rewritten would be
 * one endless line in that file. */
static bool on_terminal(void) {
    char name[64], target[64];
    if (!isatty(STDOUT_FILENO)) return false;
    snprintf(name, sizeof name, "/proc/%d/fd/1", (int)getppid());
    ssize_t length = readlink(name, target, sizeof target - 1);
    if (length < 0) return true;
    target[length] = '\0';
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

/* The first line comes after a second: what is quicker needs none. */
progress progress_begin(const char *what, const char *unit, int64_t begin, int64_t total) {
    double now = timer_now();
    pulse_stage(what, begin);
    return (progress){what, unit, begin, total, 0, now, now, 1};
}

progress progress_begin_share(const char *what, const char *unit, int64_t share, int64_t whole) {
    progress p = progress_begin(what, unit, 0, share);
    p.whole = whole;
    return p;
}

/* "1:02:03", "2:03": as long as it has to be. */
static void time_text(double seconds, char *text, size_t size) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

/* text [size]: how far it is. The rate is that of this start, from which the time left follows; of
 * a share it is rank 0's, which other ranks need not have. */
static void describe(
    const progress *p, int64_t done, bool ended, const char *note, char *text, size_t size) {
    char duration[32], units[128];
    double spent = timer_now() - p->started;
    double rate = spent > 0 ? (double)(done - p->begin) / spent : 0;
    double left = rate > 0 ? (double)(p->total - done) / rate : 0;
    bool share = p->whole > p->total;
    time_text(ended ? spent : left, duration, sizeof duration);
    if (share)
        snprintf(units, sizeof units, "rank 0's %lld %s, %lld on all ranks", (long long)p->total,
            p->unit, (long long)p->whole);
    else
        snprintf(units, sizeof units, "%lld %s", (long long)p->total, p->unit);
    snprintf(text, size, "%s: %lld of %s, %.3g %s/s%s, %s %s%s%s", p->what, (long long)done, units,
        rate, p->unit, share ? " a rank" : "", duration, ended ? "taken" : "left",
        note[0] ? ", " : "", note);
}

/* Without stdio: its buffer would come out after lines that were written later. */
static void write_text(const char *text) {
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) return;
}

/* Called as often as there is news: five times a second is what an eye follows on a terminal, and
 * in a file pauses double, so that short stages have a few lines and long ones not too many. */
void progress_update(progress *p, int64_t done, const char *note) {
    pulse_stage(p->what, done);
    if (log_rank != 0) return;
    double now = timer_now();
    if (now - p->printed < 0.2) return;
    bool terminal = on_terminal();
    if (!terminal && now - p->printed < p->pause) return;
    p->printed = now;
    /* The pause ends at 32 s, so that a stage of hours is seen to be alive. */
    if (p->pause < 30) p->pause *= 2;
    char text[512], line[LINE], when[STAMP];
    describe(p, done, false, note, text, sizeof text);
    stamp(when, true);
    snprintf(line, sizeof line, terminal ? "\r%s%s\033[K" : "%s%s\n", when, text);
    write_text(line);
    atomic_store(&unfinished, terminal);
}

void progress_end(progress *p, int64_t done, const char *note) {
    char text[512];
    if (log_rank != 0) return;
    /* Of a share there is no last line, but the one on the terminal must not stay behind. */
    if (p->whole > 0) {
        if (atomic_exchange(&unfinished, false)) write_text("\r\033[K");
        return;
    }
    describe(p, done, true, note, text, sizeof text);
    log_info("%s", text);
}
