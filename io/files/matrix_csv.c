/* Counts that a spreadsheet opens: which class was taken for which. A name may hold anything, so
 * the fields are written and read by the rules of RFC 4180: a field with a comma, a quote or a
 * line's end stands in quotes, and a quote in it is doubled. Read are the files that this one
 * writes: lines end in LF, counts are digits. Names are part of what is read, as a matrix of other
 * classes, or of the same in another order, must not be shown under these. */
#include "io/files/matrix_csv.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30 };

/* Quoted where a reader would take a part of the name for a separator. Others are written bare, as
 * people look at such files, too. */
static void put_name(FILE *f, const char *name) {
    if (!name[strcspn(name, ",\"\r\n")]) {
        fputs(name, f);
        return;
    }
    fputc('"', f);
    for (const char *at = name; *at; at++) {
        if (*at == '"') fputc('"', f);
        fputc(*at, f);
    }
    fputc('"', f);
}

/* The text is put together in memory, and the file gets its name as a whole; an error of the stream
 * can only be one of memory. */
status matrix_csv_write(
    const char *path, const char *corner, const char *const *name, int n, const int64_t *matrix) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) {
        log_error("%s: out of memory", path);
        return STATUS_FAILED;
    }
    put_name(f, corner);
    for (int i = 0; i < n; i++) {
        fputc(',', f);
        put_name(f, name[i]);
    }
    fputc('\n', f);
    for (int i = 0; i < n; i++) {
        put_name(f, name[i]);
        for (int j = 0; j < n; j++)
            fprintf(f, ",%" PRId64, matrix[(size_t)i * (size_t)n + (size_t)j]);
        fputc('\n', f);
    }
    bool whole = !ferror(f);
    whole = fclose(f) == 0 && whole;
    if (!whole) log_error("%s: out of memory", path);
    status st = whole ? file_write(path, text, bytes) : STATUS_FAILED;
    free(text);
    return st;
}

/* The next field of *at, unquoted in place, and what ended it: ',' or '\n'; NULL if it is none: a
 * quote that is never closed, or a line without an end. Unquoting only shortens, so that `to` never
 * overtakes `from`. */
static char *next_field(char **at, char *end) {
    char *field = *at, *from = *at, *to = *at;
    bool quoted = *from == '"';
    for (from += quoted; *from; from++) {
        if (quoted && *from == '"' && *++from != '"') quoted = false;
        if (!quoted && (*from == ',' || *from == '\n')) break;
        if (!*from) break;
        *to++ = *from;
    }
    if (quoted || !*from) return NULL;
    *end = *from;
    *at = from + 1;
    *to = '\0';
    return field;
}

/* Digits alone: strtoll would take blanks and signs. */
static bool read_count(const char *field, int64_t *out) {
    char *end;
    if (!field || *field < '0' || *field > '9') return false;
    errno = 0;
    *out = strtoll(field, &end, 10);
    return *end == '\0' && errno == 0;
}

/* The first line. *same: whether it has these names. false: it is none. The corner may say
 * anything. A line of other names is read to its end, to tell another matrix from a file that is
 * none. */
static bool read_names(char **at, const char *const *name, int n, bool *same) {
    char end = 0;
    int columns = 0;
    if (!next_field(at, &end)) return false;
    for (*same = true; end == ','; columns++) {
        const char *field = next_field(at, &end);
        if (!field) return false;
        *same = *same && columns < n && strcmp(field, name[columns]) == 0;
    }
    *same = *same && columns == n;
    return true;
}

/* n lines, each with the name that its column has, and nothing after them. */
static bool read_rows(char *at, const char *const *name, int n, int64_t *matrix) {
    char end = 0;
    for (int i = 0; i < n; i++) {
        const char *row = next_field(&at, &end);
        if (!row || strcmp(row, name[i]) != 0) return false;
        for (int j = 0; j < n; j++) {
            if (end != ',') return false;
            if (!read_count(next_field(&at, &end), &matrix[(size_t)i * (size_t)n + (size_t)j]))
                return false;
        }
        if (end != '\n') return false;
    }
    return *at == '\0';
}

/* *same false: whole, but of other names; the matrix is then as it was, as it is after any failure.
 * The counts are read into memory of their own first. */
status matrix_csv_read(
    const char *path, const char *const *name, int n, int64_t *matrix, bool *same) {
    char *text = NULL;
    size_t bytes, cells = (size_t)n * (size_t)n;
    bool equal = false;
    status st = file_read(path, FILE_LIMIT, (void **)&text, &bytes);
    if (st != STATUS_OK) return st;
    char *at = text;
    int64_t *count = memory_alloc(cells, sizeof *count, "matrix");
    if (!count) {
        st = STATUS_FAILED;
    } else if (!read_names(&at, name, n, &equal) || (equal && !read_rows(at, name, n, count))) {
        log_error("%s: no matrix of counts", path);
        st = STATUS_OUTPUT;
    }
    if (st == STATUS_OK && equal) memcpy(matrix, count, cells * sizeof *count);
    if (st == STATUS_OK) *same = equal;
    memory_free(count);
    memory_free(text);
    return st;
}
