/* Messages of the program. Errors and warnings go to standard error with the rank that wrote them;
 * everything else is rank 0's, on standard output. Not collective. Thread-safe. */
#ifndef AUXSEG_BASE_LOG_H
#define AUXSEG_BASE_LOG_H

#include <stdint.h>

/* Before the first call the process counts as rank 0 of 1, and messages carry no rank. */
void log_set_rank(int rank, int size);

/* The first function that knows what went wrong calls it once, naming file, key or image. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Rank 0 only. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Progress of a stage: on a terminal one line that is rewritten, in a job log a line now and then
 * (after 1, 2, 5, 10, 20 s ..., at most one every 30 s), with rate and time left. Rank 0 only. */
typedef struct progress {
    const char *what; /* stage, borrowed for the life of the object */
    const char *unit; /* plural, borrowed: "images", "steps" */
    int64_t begin, total;
    double started, printed, pause;
} progress;

/* `begin` units of `total` are already done (a resumed stage): they do not count for the rate. */
progress progress_begin(const char *what, const char *unit, int64_t begin, int64_t total);
/* `note` may be "" and is shown as it is (the loss, say). */
void progress_update(progress *p, int64_t done, const char *note);
void progress_end(progress *p, int64_t done, const char *note);

#endif
