/* Tables of colours go around in a few forms: CamVid's label_colors.txt (colour, tab, name), the
 * class_dict.csv of its copies (name,r,g,b under a heading), lists of colours alone. They differ in
 * what is between the numbers and on which side of them the name stands; all are read by one rule.
 */
#include "io/dataset/colour_file.h"

#include "io/dataset/label_colours.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BETWEEN ", \t;"

void colour_file_destroy(colour_file *f) {
    memory_free(f->row);
    *f = (colour_file){0};
}

int colour_file_is_void(const char *name) {
    static const char *const words[] = {"void", "ignore", "unlabeled", "unlabelled"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(name, words[i]) == 0) return 1;
    return 0;
}

/* Three numbers at the beginning of text, and what follows; NULL: there are none. */
static const char *read_numbers(const char *text, long *number) {
    for (int k = 0; k < 3; k++) {
        char *end;
        text += strspn(text, BETWEEN);
        if (!isdigit((unsigned char)*text)) return NULL;
        number[k] = strtol(text, &end, 10);
        if (*end && !strchr(BETWEEN, *end)) return NULL;
        text = end;
    }
    return text;
}

/* Without what separates it from the numbers. False: too long. */
static bool copy_name(char *name, const char *from, size_t length) {
    while (length > 0 && strchr(BETWEEN, *from)) from++, length--;
    while (length > 0 && strchr(BETWEEN, from[length - 1])) length--;
    if (length >= COLOUR_NAME) return false;
    memcpy(name, from, length);
    name[length] = 0;
    return true;
}

/* The numbers first, else at the first place from which three numbers go to the end of the line. */
static bool read_line(const char *line, colour_row *row, long *number) {
    const char *rest = read_numbers(line, number);
    if (rest) return copy_name(row->name, rest, strlen(rest));
    for (const char *at = strpbrk(line, BETWEEN), *next; at; at = next) {
        /* Each run of separators once: a line may be long. */
        next = strpbrk(at + strspn(at, BETWEEN), BETWEEN);
        rest = read_numbers(at, number);
        if (rest && !rest[strspn(rest, BETWEEN)])
            return copy_name(row->name, line, (size_t)(at - line));
    }
    return false;
}

/* A line is changed: a comment ends it. */
static status take_line(colour_file *f, char *line, const char *path, int at) {
    long number[3] = {0};
    char *comment = strchr(line, '#');
    if (comment) *comment = 0;
    if (!line[strspn(line, BETWEEN)]) return STATUS_OK;
    colour_row row = {.name = ""};
    if (!read_line(line, &row, number)) {
        if (f->rows == 0 && !strpbrk(line, "0123456789")) return STATUS_OK; /* a heading */
        log_error("%s: line %d: \"R G B NAME\" is expected, three numbers and a name of less than "
                  "%d letters",
            path, at, COLOUR_NAME);
        return STATUS_USAGE;
    }
    for (int k = 0; k < 3; k++) {
        if (number[k] > 255) {
            log_error("%s: line %d: %ld is above 255", path, at, number[k]);
            return STATUS_USAGE;
        }
        row.rgb[k] = (uint8_t)number[k];
    }
    if (f->rows == LABEL_COLOURS_MOST) {
        log_error("%s: more than %d colours", path, LABEL_COLOURS_MOST);
        return STATUS_USAGE;
    }
    f->row[f->rows++] = row;
    return STATUS_OK;
}

status colour_file_read(const char *path, colour_file *out) {
    text_lines text;
    colour_file f = {memory_alloc(LABEL_COLOURS_MOST, sizeof *f.row, "colours of labels"), 0};
    if (!f.row) return STATUS_FAILED;
    status st = text_lines_open(&text, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));)
        st = take_line(&f, line, path, text.number);
    text_lines_close(&text);
    if (st == STATUS_OK && f.rows == 0) {
        log_error("%s: no colour", path);
        st = STATUS_USAGE;
    }
    if (st == STATUS_OK)
        *out = f;
    else
        colour_file_destroy(&f);
    return st;
}
