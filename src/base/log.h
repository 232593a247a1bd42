/* Messages of the program. Errors and warnings go to standard error with the rank that wrote them;
 * everything else is rank 0's, on standard output. Not collective. Thread-safe.
 *
 * A job's log, the two streams together, is what an operator reads and a monitor searches:
 *   14:03:59 date 2026-11-28                  first, and when the day changes
 *   14:03:59 pretrain: 300 steps of ...       STAGE: text
 *   14:04:29 pretrain: 120 of 300 steps, 4.02 steps/s, 0:45 left, loss 2.5163
 *   14:05:15 Figure of Merit (FOM): 32.1 images/s, pretrain
 *   14:05:16 auxseg: rank 3: warning: ...     or "error"; without the rank where there is one only
 *   14:05:16 Result: PASS                     last: PASS, STOPPED or FAIL
 * The time is the local one of the rank's host. What comes after it does not change with the time
 * of day or the terminal, so that `grep "Figure of Merit"` finds each stage's figure. Tables are
 * details, written only where run.verbose asks for them: a log is read by what is new in it. */
#ifndef AUXSEG_BASE_LOG_H
#define AUXSEG_BASE_LOG_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Before the first call the process counts as rank 0 of 1, and messages carry no rank. Like the
 * next two, before the process has several threads. */
void log_set_rank(int rank, int size);
/* From here on each line begins with its time: that of a job. What tools print, checks and
 * conversions, has none. */
void log_set_times(bool on);
/* Whether log_detail writes. */
void log_set_verbose(bool on);

/* The first function that knows what went wrong calls it once, naming file, key or image. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Rank 0 only. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The last line of a job: "Result: PASS", or STOPPED or FAIL with the code. Rank 0 only. */
void log_result(status st);
/* The same for what only run.verbose shows. */
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Progress of a stage: on a terminal one line that is rewritten, in a job log a line now and then
 * (after 1, 2, 4, 8, 16 s ..., at most one every 30 s), with rate and time left. Rank 0 only. */
typedef struct progress {
    const char *what; /* stage, borrowed for the life of the object */
    const char *unit; /* plural, borrowed: "images", "steps" */
    int64_t begin, total;
    int64_t whole; /* of all ranks, where total is rank 0's share of it; else 0 */
    double started, printed, pause;
} progress;

/* `begin` units of `total` are already done (a resumed stage): they do not count for the rate. */
progress progress_begin(const char *what, const char *unit, int64_t begin, int64_t total);
/* Of units that ranks share out: rank 0 knows of its own `share` alone, and says so. whole: of all
 * ranks. */
progress progress_begin_share(const char *what, const char *unit, int64_t share, int64_t whole);
/* `note` may be "" and is shown as it is (the loss, say). */
void progress_update(progress *p, int64_t done, const char *note);
/* A last line with the time taken. A share's progress leaves none: other ranks may still be at
 * work, and the stage's result follows. */
void progress_end(progress *p, int64_t done, const char *note);

#endif
