/* The one list of results. A value is the exit code of the program, too. */
#ifndef AUXSEG_BASE_STATUS_H
#define AUXSEG_BASE_STATUS_H

#define STATUS_LIST(X)                                                                             \
    X(OK, 0, "done")                                                                               \
    X(FAILED, 1, "out of memory, a library failed, or a file could not be read")                   \
    X(USAGE, 2, "usage or settings")                                                               \
    X(DATA, 3, "input data")                                                                       \
    X(OUTPUT, 4, "checkpoint or output file")                                                      \
    X(NONFINITE, 5, "non-finite values")                                                           \
    X(HUNG, 6, "a rank made no progress, which run.watchdog names")                                \
    X(STOPPED, 75, "stopped early on request, state saved: run the same command again")

typedef enum status {
#define STATUS_ENUM(name, code, text) STATUS_##name = code,
    STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
} status;

/* Of two, the one that outweighs the other: a failure a request to stop, of failures the larger
 * code. What several threads or ranks end with is thus the same in whatever order they end. */
status status_worse(status a, status b);
/* What a status means, for a message. Not collective. Never NULL. */
const char *status_text(status s);

#endif
