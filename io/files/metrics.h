/* metrics.csv: one row a step of every stage, no duplicates after a restart.
 * Columns: stage, round, step, loss, learning_rate, gradient_norm, anchors, objective, imbalance,
 * changed, kept, repaired, seconds, assign, update, exchange (seconds of k-means' phases), mIoU (of
 * a validation); what a stage has not is left empty. The last column, check, is of the row's own
 * text. */
#ifndef AUXSEG_IO_FILES_METRICS_H
#define AUXSEG_IO_FILES_METRICS_H

#include "src/base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Steps count from 1: row `step` is of the step after which so many were done. */
typedef struct metrics_row {
    const char *stage; /* without comma or quote, below 64 bytes */
    int round;
    int64_t step;
    double loss, learning_rate, gradient_norm, anchors, objective, imbalance, changed, kept,
        repaired, seconds, assign, update, exchange, miou; /* NAN: empty */
} metrics_row;
#define METRICS_EMPTY(stage_, round_, step_)                                                       \
    ((metrics_row){stage_, round_, step_, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,   \
        NAN, NAN, NAN})

typedef struct metrics metrics;

/* Opens folder/metrics.csv for appending rows of a stage and round that has `steps` steps done: its
 * later rows (and a torn last line) are removed, by temporary file and rename. Damaged rows are
 * left out, with a warning, and the file as it was is kept as path + ".damaged"; rows of steps done
 * that are missing are told, too. Not collective:
 * rank 0 only; a NULL object swallows rows. */
status metrics_open(metrics **out, const char *path, const char *stage, int round, int64_t steps);
/* Rows go to the folder "tensorboard" beside the file, too, as curves of `name` ("pretrain-2"),
 * which has `steps` steps done. m may be NULL. */
void metrics_show(metrics *m, const char *name, int64_t steps);
status metrics_write(metrics *m, const metrics_row *row);
/* All rows so far are on the disk: before the checkpoint that stands behind them. */
status metrics_sync(metrics *m);
void metrics_close(metrics *m);
/* Rows of the file in order, for the report; owned by the caller (memory_free); stage names are
 * interned for the life of the process. Damaged rows are left out, with a warning. */
status metrics_read(const char *path, metrics_row **rows, int *count);
/* Whether every row is whole and none is missing: STATUS_OUTPUT, naming what is not. *checked
 * false: written by a version whose rows have no check. */
status metrics_verify(const char *path, bool *checked);

#endif
