/* The text of metrics.csv: shared by metrics*.c, for nobody else. Not collective. */
#ifndef AUXSEG_IO_FILES_METRICS_ROWS_H
#define AUXSEG_IO_FILES_METRICS_ROWS_H

#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The columns as versions before the check wrote them, as those before the mIoU did, and as they
 * are. */
#define METRICS_OLD_HEADER                                                                         \
    "stage,round,step,loss,learning_rate,gradient_norm,anchors,objective,imbalance,changed,kept,"  \
    "repaired,seconds,assign,update,exchange"
#define METRICS_SHORT_HEADER METRICS_OLD_HEADER ",check"
#define METRICS_COLUMNS METRICS_OLD_HEADER ",mIoU"
#define METRICS_HEADER METRICS_COLUMNS ",check"
enum { METRICS_VALUES = 14, METRICS_LINE = 512, METRICS_STAGE = 64 };
enum { METRICS_CHECK = 11 }; /* bytes of a check with its comma and a zero byte */

typedef struct metrics_parsed {
    char stage[METRICS_STAGE];
    int round;
    int64_t step;
    double value[METRICS_VALUES]; /* NAN: empty */
    bool is_short;                /* the line lacks the last column, as an earlier version's */
} metrics_parsed;

/* The file as it was read, and how far its rows have been asked for. */
typedef struct metrics_text {
    char *text, *rest; /* text is owned: memory_free */
    bool checked;      /* rows carry a check; false: an earlier version's */
    bool strange;      /* the first line is none of the two headers: damaged, or no such file */
    bool torn;         /* the last line, which has been reached, has no end */
    int broken;        /* lines so far that are no rows */
} metrics_text;

/* STATUS_OUTPUT where the file cannot be read. An empty file has no rows. */
status metrics_text_read(const char *path, metrics_text *out);
/* The next whole row, parsed, and its line without check and end (borrowed, cut up by the next
 * call); NULL after the last. Lines that are none are counted. */
const char *metrics_text_next(metrics_text *t, metrics_parsed *row);
/* What stands behind a line: ",x0123abcd", of all of it. check [METRICS_CHECK]. */
void metrics_check(const char *line, char *check);

#endif
