/* The lines of a text file that a user wrote: lists of images, label maps. Not collective.
 *
 *   text_lines l;
 *   status st = text_lines_open(&l, path);
 *   for (char *line; st == STATUS_OK && (line = text_lines_next(&l));) { ... l.number ... }
 *   text_lines_close(&l);
 */
#ifndef AUXSEG_IO_FILES_TEXT_LINES_H
#define AUXSEG_IO_FILES_TEXT_LINES_H

#include "src/base/status.h"

#include <stddef.h>

typedef struct text_lines {
    char *text, *next, *end; /* owned; of it: the next line, its end */
    int number;              /* of the last line that text_lines_next gave, from 1 */
} text_lines;

/* Reads the file, without the byte order mark that some editors put first. STATUS_DATA with a
 * message if it cannot be read, is longer than 1 GiB or holds a zero byte (UTF-16 does). Safe to
 * close after any status. */
status text_lines_open(text_lines *l, const char *path);
/* The next line that is not blank, without white space at its end (and without the CR of other
 * systems); NULL: there is none. It may be changed, and lives as long as l. */
char *text_lines_next(text_lines *l);
void text_lines_close(text_lines *l);

#endif
