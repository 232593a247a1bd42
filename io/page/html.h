/* Text of a page that grows in memory. Not collective. The first failure is kept in `result`; later
 * calls do nothing. */
#ifndef AUXSEG_IO_PAGE_HTML_H
#define AUXSEG_IO_PAGE_HTML_H

#include "src/base/status.h"

#include <stddef.h>

typedef struct html {
    char *text; /* owned: memory_free */
    size_t size, capacity;
    status result;
} html;

/* Markup of our own. */
void html_put(html *h, const char *markup);
void html_bytes(html *h, const char *markup, size_t size);
/* Markup with numbers; texts of others never go through here. */
void html_print(html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Any text, escaped for content and attributes; bytes that are not UTF-8 or are control characters
 * become U+FFFD. NULL: nothing. */
void html_text(html *h, const char *text);
void html_base64(html *h, const void *data, size_t bytes);
/* Keeps a failure of whoever fills the page; STATUS_OK changes nothing. */
void html_fail(html *h, status st);

#endif
