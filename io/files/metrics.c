/* metrics.csv, appended row by row while a stage runs. A stage that goes on from a checkpoint does
 * some steps again: rows beyond the checkpoint are removed when the file is opened, so that each
 * step stands there once. A kill leaves at most one torn line, the last, which goes in the same
 * way. Columns are the same for all stages: HEADER, VALUES, metrics_write and metrics_read list
 * them alike, in one order. Rows go to the disk when the stage ends; until then the kernel has
 * them, which a killed process does not lose. */
#include "io/files/metrics.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER                                                                                     \
    "stage,round,step,loss,learning_rate,gradient_norm,anchors,objective,imbalance,changed,kept,"  \
    "repaired,seconds,assign,update,exchange"
enum { VALUES = 13, LINE = 512, STAGE_TEXT = 64, FILE_LIMIT = 1 << 30 };

struct metrics {
    FILE *file;
    char path[FILE_PATH];
};

typedef struct parsed {
    char stage[STAGE_TEXT];
    int round;
    int64_t step;
    double value[VALUES]; /* NAN: empty */
} parsed;

/* The next field of a line, which is cut there; NULL after the last. */
static char *next_field(char **rest) {
    return *rest ? strsep(rest, ",") : NULL;
}

/* strtoll accepts more than an integer: leading blanks, and what follows it. */
static bool parse_integer(const char *text, int64_t *out) {
    char *end;
    if (!text || !*text) return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

/* Whether the line is a row; it is cut up. Exactly 3 + VALUES fields, of which only figures may be
 * empty. */
static bool parse_line(char *line, parsed *out) {
    char *rest = line, *stage = next_field(&rest), *end;
    int64_t round;
    if (!stage || !*stage || strlen(stage) >= sizeof out->stage) return false;
    strcpy(out->stage, stage);
    if (!parse_integer(next_field(&rest), &round) || !parse_integer(next_field(&rest), &out->step))
        return false;
    out->round = (int)round;
    for (int i = 0; i < VALUES; i++) {
        const char *field = next_field(&rest);
        if (!field) return false;
        out->value[i] = *field ? strtod(field, &end) : (double)NAN;
        if (*field && *end) return false;
    }
    /* A row has every column or is none: a torn line must not pass as one with empty ends, nor
     * another version's as one of ours. */
    return rest == NULL;
}

/* Reads the file and checks its first line; *body is what follows it, in *text (owned by the
 * caller). An empty file has an empty body. */
static status read_rows(const char *path, char **text, char **body) {
    size_t bytes, first = sizeof HEADER - 1;
    status st = file_read(path, FILE_LIMIT, (void **)text, &bytes);
    if (st != STATUS_OK) return st;
    if (bytes == 0) {
        *body = *text;
    } else if (bytes > first && memcmp(*text, HEADER "\n", first + 1) == 0) {
        *body = *text + first + 1;
    } else {
        log_error("%s: no metrics file: the first line is not \"%s\"", path, HEADER);
        memory_free(*text);
        return STATUS_OUTPUT;
    }
    return STATUS_OK;
}

/* A whole line of *rest without its end, or NULL: a line without an end was torn. */
static char *next_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (!end) return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

/* Copies the rows that stay from body into kept, which is at least as long; returns their bytes.
 * Lines are copied as they are, not printed anew: what stays does not change by a bit. Rows of
 * other stages and rounds always stay. */
static size_t keep_rows(
    const char *path, char *body, const char *stage, int round, int64_t steps, char *kept) {
    size_t bytes = 0;
    int broken = 0;
    for (char *rest = body, *line; (line = next_line(&rest));) {
        char copy[LINE];
        parsed row;
        size_t n = strlen(line);
        if (n < sizeof copy) memcpy(copy, line, n + 1);
        if (n >= sizeof copy || !parse_line(copy, &row)) {
            broken++;
            continue;
        }
        if (strcmp(row.stage, stage) == 0 && row.round == round && row.step > steps) continue;
        memcpy(kept + bytes, line, n);
        bytes += n;
        kept[bytes++] = '\n';
    }
    if (broken) log_warn("%s: %d malformed row(s) left out", path, broken);
    return bytes;
}

/* Rewrites the file without the rows that the stage will write again. */
static status rewrite(const char *path, const char *stage, int round, int64_t steps) {
    char *text = NULL, *body = NULL, *kept = NULL;
    size_t bytes = 0;
    if (file_exists(path)) {
        status st = read_rows(path, &text, &body);
        if (st != STATUS_OK) return st;
        kept = memory_alloc(strlen(body) + 1, 1, "metrics");
        if (!kept) {
            memory_free(text);
            return STATUS_FAILED;
        }
        bytes = keep_rows(path, body, stage, round, steps, kept);
    }
    file_part part[] = {{HEADER "\n", sizeof HEADER}, {kept, bytes}};
    status st = file_write_parts(path, part, 2);
    memory_free(kept);
    memory_free(text);
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
    m->file = fopen(path, "ae");
    if (!m->file) {
        log_error("%s: cannot be written: %s", path, strerror(errno));
        memory_free(m);
        return STATUS_OUTPUT;
    }
    *out = m;
    return STATUS_OK;
}

/* Nine digits tell single-precision losses apart, and keep a row on a line of a terminal. */
status metrics_write(metrics *m, const metrics_row *row) {
    if (!m) return STATUS_OK;
    const double value[VALUES] = {row->loss, row->learning_rate, row->gradient_norm, row->anchors,
        row->objective, row->imbalance, row->changed, row->kept, row->repaired, row->seconds,
        row->assign, row->update, row->exchange};
    char line[LINE];
    /* STAGE_TEXT - 1 bytes of the name, which is what parse_line takes. */
    int n = snprintf(line, sizeof line, "%.63s,%d,%" PRId64, row->stage, row->round, row->step);
    for (int i = 0; i < VALUES; i++) {
        size_t left = sizeof line - (size_t)n;
        n += isnan(value[i]) ? snprintf(line + n, left, ",")
                             : snprintf(line + n, left, ",%.9g", value[i]);
    }
    line[n++] = '\n';
    /* One write a row: a kill leaves at most one torn line, the last. */
    if (fwrite(line, 1, (size_t)n, m->file) == (size_t)n && fflush(m->file) == 0) return STATUS_OK;
    log_error("%s: cannot be written: %s", m->path, strerror(errno));
    return STATUS_OUTPUT;
}

/* Rows that are lost here are written again if the stage goes on from a checkpoint: a warning is
 * enough. */
void metrics_close(metrics *m) {
    if (!m) return;
    bool safe = fsync(fileno(m->file)) == 0;
    safe = fclose(m->file) == 0 && safe;
    if (!safe) log_warn("%s: the last rows may be lost: %s", m->path, strerror(errno));
    memory_free(m);
}

/* A text that lives as long as the process; few different ones are ever asked for. Rows are copied
 * and freed as plain arrays, so that their texts need an owner that outlives all of them. NULL: no
 * memory. */
static const char *intern(const char *text) {
    typedef struct interned {
        struct interned *next;
        char text[STAGE_TEXT];
    } interned;
    static interned *all;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    interned *at = all;
    while (at && strcmp(at->text, text) != 0) at = at->next;
    if (!at && (at = memory_alloc(1, sizeof *at, "name of a stage"))) {
        snprintf(at->text, sizeof at->text, "%s", text);
        at->next = all;
        all = at;
    }
    pthread_mutex_unlock(&lock);
    return at ? at->text : NULL;
}

/* An upper bound of the rows, for one allocation. */
static int count_lines(const char *text) {
    int n = 0;
    for (; (text = strchr(text, '\n')); text++) n++;
    return n;
}

/* Rows that are malformed are passed over without a word: metrics_open has warned. */
status metrics_read(const char *path, metrics_row **rows, int *count) {
    char *text, *body;
    status st = read_rows(path, &text, &body);
    if (st != STATUS_OK) return st;
    int n = 0;
    metrics_row *all = memory_alloc((size_t)count_lines(body), sizeof *all, "metrics");
    if (!all) st = STATUS_FAILED;
    for (char *rest = body, *line; st == STATUS_OK && (line = next_line(&rest));) {
        parsed p;
        if (!parse_line(line, &p)) continue;
        const char *stage = intern(p.stage);
        if (!stage) st = STATUS_FAILED;
        const double *v = p.value;
        all[n++] = (metrics_row){stage, p.round, p.step, v[0], v[1], v[2], v[3], v[4], v[5], v[6],
            v[7], v[8], v[9], v[10], v[11], v[12]};
    }
    memory_free(text);
    if (st != STATUS_OK) {
        memory_free(all);
        return st;
    }
    *rows = all;
    *count = n;
    return STATUS_OK;
}
