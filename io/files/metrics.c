/* metrics.csv, appended row by row while a stage runs. A stage that goes on from a checkpoint does
 * some steps again: rows beyond the checkpoint are removed when the file is opened, so that each
 * step stands there once. A kill leaves at most one torn line, the last, which goes in the same
 * way; what is damaged in another way goes, too, and the file as it was is kept for a person to
 * look at. Columns are the same for all stages: METRICS_HEADER, metrics_write and metrics_read list
 * them alike, in one order. Rows go to the disk with each checkpoint and when the stage ends: what
 * a checkpoint stands behind is not written again. */
#include "io/files/metrics.h"

#include "io/files/file.h"
#include "io/files/metrics_rows.h"
#include "io/files/tensorboard.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/open_retry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct metrics {
    FILE *file;
    char path[FILE_PATH];
    tensorboard *events; /* NULL: nobody wants them */
};

/* Copies the rows that stay into kept, each with its check; returns their bytes. The text of a row
 * is copied as it is, not printed anew: what stays does not change by a bit, but for the column
 * that an earlier version has not had. Rows of other stages and rounds always stay. *found: those
 * of the stage and round that do. */
static size_t keep_rows(
    metrics_text *t, const char *stage, int round, int64_t steps, char *kept, int64_t *found) {
    size_t bytes = 0;
    metrics_parsed row;
    for (const char *line; (line = metrics_text_next(t, &row));) {
        char check[METRICS_CHECK];
        size_t n = strlen(line);
        bool own = strcmp(row.stage, stage) == 0 && row.round == round;
        if (own && row.step > steps) continue;
        *found += own;
        char whole[METRICS_LINE + 2];
        snprintf(whole, sizeof whole, "%s%s", line, row.is_short ? "," : "");
        n += row.is_short;
        metrics_check(whole, check);
        memcpy(kept + bytes, whole, n);
        memcpy(kept + bytes + n, check, sizeof check - 1);
        bytes += n + sizeof check - 1;
        kept[bytes++] = '\n';
    }
    return bytes;
}

/* Keeps a damaged file beside the one that takes its place. A link, as the name is to lead to a
 * whole file at every moment; an older one that stands there is replaced. */
static status set_aside(const char *path, const metrics_text *t) {
    char aside[FILE_PATH + 16];
    if (!t->strange && !t->broken) return STATUS_OK;
    snprintf(aside, sizeof aside, "%s.damaged", path);
    unlink(aside);
    if (link(path, aside) != 0 && rename(path, aside) != 0) {
        log_error("%s: cannot be kept as %s: %s", path, aside, strerror(errno));
        return STATUS_OUTPUT;
    }
    log_warn("%s: damaged (%s%d row(s)): made anew of the rows that are whole, and kept as %s",
        path, t->strange ? "its first line, " : "", t->broken, aside);
    return STATUS_OK;
}

/* Rewrites the file without the rows that the stage will write again. A row of a version without
 * checks becomes longer by one, which a line has at least the room of 16 columns for. */
static status rewrite(const char *path, const char *stage, int round, int64_t steps) {
    metrics_text t = {0};
    char *kept = NULL;
    size_t bytes = 0;
    int64_t found = 0;
    status st = STATUS_OK;
    if (access(path, F_OK) == 0 || errno != ENOENT) st = metrics_text_read(path, &t);
    if (st == STATUS_OK && t.text) {
        kept = memory_alloc(2 * strlen(t.rest) + 1, 1, "metrics");
        if (kept)
            bytes = keep_rows(&t, stage, round, steps, kept, &found);
        else
            st = STATUS_FAILED;
        if (st == STATUS_OK) st = set_aside(path, &t);
    }
    file_part part[] = {{METRICS_HEADER "\n", sizeof METRICS_HEADER}, {kept, bytes}};
    if (st == STATUS_OK) st = file_write_parts(path, part, 2);
    if (st == STATUS_OK && found < steps)
        log_warn("%s: %" PRId64 " of the %" PRId64 " rows of %s that were done, round %d: curves "
                 "have a gap",
            path, found, steps, stage, round);
    memory_free(kept);
    memory_free(t.text);
    return st;
}

/* Appending would do without the rewrite if there were nothing to remove, but that is known only
 * after reading; it is once a stage. */
status metrics_open(metrics **out, const char *path, const char *stage, int round, int64_t steps) {
    status st = rewrite(path, stage, round, steps);
    if (st != STATUS_OK) return st;
    metrics *m = memory_alloc(1, sizeof *m, "metrics");
    if (!m) return STATUS_FAILED;
    snprintf(m->path, sizeof m->path, "%s", path);
    /* Appending: every row goes to the end, whoever else has the file open. */
    int fd = open_retry(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0);
    m->file = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (!m->file) {
        log_error("%s: cannot be written: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        memory_free(m);
        return STATUS_OUTPUT;
    }
    *out = m;
    return STATUS_OK;
}

/* A folder a stage and round: what TensorBoard calls a run, with steps of its own. */
void metrics_show(metrics *m, const char *name, int64_t steps) {
    char folder[FILE_PATH], above[FILE_PATH];
    if (!m) return;
    const char *end = strrchr(m->path, '/');
    int length = end ? (int)(end - m->path) : 1;
    snprintf(above, sizeof above, "%.*s/tensorboard", length, end ? m->path : ".");
    int n = snprintf(folder, sizeof folder, "%s/%s", above, name);
    if (n < (int)sizeof folder && file_make_folder(above) == STATUS_OK)
        m->events = tensorboard_open(folder, steps);
}

/* Each column by its name. */
static void show_row(const metrics *m, int64_t step, const double *value) {
    char names[] = METRICS_COLUMNS, *rest = names;
    tensorboard_value shown[METRICS_VALUES];
    if (!m->events) return;
    for (int skipped = 0; skipped < 3; skipped++) strsep(&rest, ","); /* stage, round, step */
    for (int i = 0; i < METRICS_VALUES; i++)
        shown[i] = (tensorboard_value){strsep(&rest, ","), value[i]};
    tensorboard_write(m->events, step, shown, METRICS_VALUES);
}

/* Nine digits tell single-precision losses apart, and keep a row on a line of a terminal. */
status metrics_write(metrics *m, const metrics_row *row) {
    if (!m) return STATUS_OK;
    const double value[METRICS_VALUES] = {row->loss, row->learning_rate, row->gradient_norm,
        row->anchors, row->objective, row->imbalance, row->changed, row->kept, row->repaired,
        row->seconds, row->assign, row->update, row->exchange, row->miou};
    char line[METRICS_LINE + METRICS_CHECK];
    /* METRICS_STAGE - 1 bytes of the name, which is what parse_line takes. */
    int n = snprintf(line, sizeof line, "%.63s,%d,%" PRId64, row->stage, row->round, row->step);
    for (int i = 0; i < METRICS_VALUES; i++) {
        size_t left = METRICS_LINE - (size_t)n;
        n += isnan(value[i]) ? snprintf(line + n, left, ",")
                             : snprintf(line + n, left, ",%.9g", value[i]);
    }
    metrics_check(line, line + n);
    n += METRICS_CHECK - 1;
    line[n++] = '\n';
    show_row(m, row->step, value);
    /* One write a row: a kill leaves at most one torn line, the last. */
    if (fwrite(line, 1, (size_t)n, m->file) == (size_t)n && fflush(m->file) == 0) return STATUS_OK;
    log_error("%s: cannot be written: %s", m->path, strerror(errno));
    return STATUS_OUTPUT;
}

status metrics_sync(metrics *m) {
    if (!m || fsync(fileno(m->file)) == 0) return STATUS_OK;
    log_error("%s: cannot be written: %s", m->path, strerror(errno));
    return STATUS_OUTPUT;
}

/* What a stage stands behind was synced before: rows that are lost here are written again when it
 * goes on, so that a warning is enough. */
void metrics_close(metrics *m) {
    if (!m) return;
    tensorboard_close(m->events);
    bool safe = fsync(fileno(m->file)) == 0;
    safe = fclose(m->file) == 0 && safe;
    if (!safe) log_warn("%s: the last rows may be lost: %s", m->path, strerror(errno));
    memory_free(m);
}
