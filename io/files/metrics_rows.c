/* Reading metrics.csv. A row ends in a check of its own text, so that a digit which the disk or a
 * hand has changed costs that row and is told; the letter before it keeps programs from taking
 * digits with an "e" among them for a number. Rows are looked at one by one, also behind a damaged
 * one and below a damaged header: what is whole is kept. Files of earlier versions have no checks,
 * which their header says. */
#include "io/files/metrics_rows.h"

#include "io/files/file.h"
#include "io/files/metrics.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30 };

void metrics_check(const char *line, char *check) {
    snprintf(check, METRICS_CHECK, ",x%08" PRIx32, (uint32_t)hash_bytes(line, strlen(line)));
}

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

/* Whether the line, without its check, is a row; it is cut up. 3 + METRICS_VALUES fields, or one
 * less, of which only figures may be empty. */
static bool parse_line(char *line, metrics_parsed *out) {
    char *rest = line, *stage = next_field(&rest), *end;
    int64_t round;
    if (!stage || !*stage || strlen(stage) >= sizeof out->stage) return false;
    strcpy(out->stage, stage);
    if (!parse_integer(next_field(&rest), &round) || !parse_integer(next_field(&rest), &out->step))
        return false;
    out->round = (int)round;
    for (int i = 0; i < METRICS_VALUES; i++) {
        const char *field = next_field(&rest);
        out->is_short = !field && i == METRICS_VALUES - 1;
        if (!field && !out->is_short) return false;
        if (!field) field = "";
        out->value[i] = *field ? strtod(field, &end) : (double)NAN;
        if (*field && *end) return false;
    }
    /* A row has every column or is none: a torn line must not pass as one with empty ends, nor
     * another version's as one of ours. */
    return rest == NULL;
}

/* Takes the check off the line's end, if it is that of the line. */
static bool take_check(char *line) {
    char check[METRICS_CHECK], *last = strrchr(line, ',');
    if (!last) return false;
    char have[METRICS_CHECK];
    snprintf(have, sizeof have, "%s", last);
    bool longer = strlen(last) >= sizeof have;
    *last = '\0';
    metrics_check(line, check);
    return !longer && strcmp(have, check) == 0;
}

/* Whether the text begins with that line; then its rows do behind it. */
static bool take_header(metrics_text *t, size_t bytes, const char *header) {
    size_t n = strlen(header);
    if (bytes <= n || memcmp(t->text, header, n) != 0 || t->text[n] != '\n') return false;
    t->rest = t->text + n + 1;
    return true;
}

/* Zero bytes would end the text before its end: no row has any, and the line that has is broken. */
status metrics_text_read(const char *path, metrics_text *out) {
    size_t bytes;
    *out = (metrics_text){.checked = true};
    status st = file_read(path, FILE_LIMIT, (void **)&out->text, &bytes);
    if (st != STATUS_OK) return st == STATUS_FAILED ? st : STATUS_OUTPUT;
    for (size_t i = 0; i < bytes; i++)
        if (!out->text[i]) out->text[i] = '?';
    out->rest = out->text;
    if (bytes == 0 || take_header(out, bytes, METRICS_HEADER) ||
        take_header(out, bytes, METRICS_SHORT_HEADER))
        return STATUS_OK;
    out->checked = !take_header(out, bytes, METRICS_OLD_HEADER);
    if (!out->checked) return STATUS_OK;
    out->strange = true;
    out->rest += strcspn(out->rest, "\n");
    if (*out->rest) out->rest++;
    return STATUS_OK;
}

/* A whole line of the rest without its end, or NULL: a line without an end was torn. */
static char *next_line(metrics_text *t) {
    char *line = t->rest, *end = strchr(line, '\n');
    t->torn = !end && *line;
    if (!end) return NULL;
    *end = '\0';
    t->rest = end + 1;
    return line;
}

const char *metrics_text_next(metrics_text *t, metrics_parsed *row) {
    for (char *line; (line = next_line(t));) {
        char copy[METRICS_LINE];
        size_t n = strlen(line);
        bool whole = n < sizeof copy && (!t->checked || take_check(line));
        if (whole) {
            memcpy(copy, line, strlen(line) + 1);
            if (parse_line(copy, row)) return line;
        }
        t->broken++;
    }
    return NULL;
}

/* A text that lives as long as the process; few different ones are ever asked for. Rows are copied
 * and freed as plain arrays, so that their texts need an owner that outlives all of them. NULL: no
 * memory. */
static const char *intern(const char *text) {
    typedef struct interned {
        struct interned *next;
        char text[METRICS_STAGE];
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

/* The rows of the text in *rows [*count]. */
static status take_rows(metrics_text *t, metrics_row *rows, int *count) {
    metrics_parsed p;
    for (*count = 0; metrics_text_next(t, &p);) {
        const char *stage = intern(p.stage);
        if (!stage) return STATUS_FAILED;
        const double *v = p.value;
        rows[(*count)++] = (metrics_row){stage, p.round, p.step, v[0], v[1], v[2], v[3], v[4], v[5],
            v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13]};
    }
    return STATUS_OK;
}

/* A page with a gap in a curve is better than none: it is told what is left out. */
status metrics_read(const char *path, metrics_row **rows, int *count) {
    metrics_text t;
    status st = metrics_text_read(path, &t);
    if (st != STATUS_OK) return st;
    metrics_row *all = memory_alloc((size_t)count_lines(t.rest), sizeof *all, "metrics");
    st = all ? take_rows(&t, all, count) : STATUS_FAILED;
    if (st == STATUS_OK && t.strange) log_warn("%s: damaged: its first line", path);
    if (st == STATUS_OK && t.broken) log_warn("%s: %d damaged row(s) left out", path, t.broken);
    memory_free(t.text);
    if (st == STATUS_OK)
        *rows = all;
    else
        memory_free(all);
    return st;
}

/* Steps of a stage and round stand together or apart, but always one behind the other from 1 on:
 * a row that is gone is found by its number. */
static status find_gap(const char *path, const metrics_row *row, int count) {
    for (int i = 0; i < count; i++) {
        int64_t before = 0;
        for (int j = i; j-- > 0 && before == 0;)
            if (row[j].round == row[i].round && row[j].stage == row[i].stage) before = row[j].step;
        if (row[i].step == before + 1) continue;
        log_error("%s: %s, round %d: step %" PRId64 " comes after step %" PRId64, path,
            row[i].stage, row[i].round, row[i].step, before);
        return STATUS_OUTPUT;
    }
    return STATUS_OK;
}

status metrics_verify(const char *path, bool *checked) {
    metrics_text t;
    metrics_parsed p;
    metrics_row *row = NULL;
    int count;
    status st = metrics_text_read(path, &t);
    if (st != STATUS_OK) return st;
    while (metrics_text_next(&t, &p)) {
    }
    *checked = t.checked;
    if (t.strange) log_error("%s: damaged: its first line is none of metrics", path);
    if (t.broken) log_error("%s: %d damaged row(s)", path, t.broken);
    if (t.torn) log_error("%s: its last row is torn", path);
    if (t.strange || t.broken || t.torn) st = STATUS_OUTPUT;
    memory_free(t.text);
    if (st == STATUS_OK) st = metrics_read(path, &row, &count);
    if (st == STATUS_OK) st = find_gap(path, row, count);
    memory_free(row);
    return st;
}
