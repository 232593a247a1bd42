/* Text files come from all kinds of editors: a byte order mark, CR LF and blanks at the end of a
 * line are none of a name's letters. Whoever reads a list reads it through this file, so that no
 * list knows another rule. Lines are numbered as an editor counts them, blank ones included, for
 * messages that a user can follow. The file is read as a whole, and lines are cut in place. */
#include "io/files/text_lines.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

enum { LIMIT = 1 << 30, MARK = 3 };

status text_lines_open(text_lines *l, const char *path) {
    size_t bytes;
    void *text = NULL;
    *l = (text_lines){0};
    status st = file_read(path, LIMIT, &text, &bytes);
    if (st != STATUS_OK) return st;
    l->text = l->next = text;
    l->end = l->text + bytes;
    /* UTF-16, or no text at all: a zero byte would end a line early, and what follows would be lost
     * unseen. */
    if (memchr(text, '\0', bytes)) {
        log_error("%s: has a zero byte: no text file in UTF-8 or ASCII", path);
        return STATUS_DATA;
    }
    if (bytes >= MARK && memcmp(text, "\xEF\xBB\xBF", MARK) == 0) l->next += MARK;
    return STATUS_OK;
}

char *text_lines_next(text_lines *l) {
    while (l->next < l->end) {
        char *line = l->next, *end = memchr(line, '\n', (size_t)(l->end - line));
        if (!end) end = l->end; /* file_read has put a zero there */
        l->next = end < l->end ? end + 1 : end;
        l->number++;
        while (end > line && strchr("\r \t", end[-1])) end--;
        *end = '\0';
        if (end > line) return line;
    }
    return NULL;
}

void text_lines_close(text_lines *l) {
    memory_free(l->text);
    *l = (text_lines){0};
}
