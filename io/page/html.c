/* Text that grows, and the three ways in which something enters it: markup of our own as it is,
 * texts of others escaped, bytes of pictures as base64. A failure is kept in the html and makes all
 * that follows do nothing: sections need not look at a status after each word, page_write asks for
 * each section, and for the page. */
#include "io/page/html.h"

#include "src/base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Room for `more` bytes, at least doubled, so that a page of megabytes is copied a few times only.
 * NULL after a failure. */
static char *reserve(html *h, size_t more) {
    if (h->result) return NULL;
    if (h->size + more > h->capacity) {
        size_t capacity = 2 * h->capacity + more + 4096;
        char *text = memory_alloc(capacity, 1, "page");
        if (!text) {
            html_fail(h, STATUS_FAILED);
            return NULL;
        }
        if (h->size) memcpy(text, h->text, h->size);
        memory_free(h->text);
        h->text = text;
        h->capacity = capacity;
    }
    return h->text + h->size;
}

void html_bytes(html *h, const char *markup, size_t size) {
    char *to = reserve(h, size);
    if (!to) return;
    memcpy(to, markup, size);
    h->size += size;
}

void html_put(html *h, const char *markup) {
    html_bytes(h, markup, strlen(markup));
}

/* For numbers and names of our own: texts of others must go through html_text, as nothing is
 * escaped here. */
void html_print(html *h, const char *format, ...) {
    char text[512];
    va_list arguments; /* what is longer than the buffer is cut: markup of our own is short */
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n > 0) html_bytes(h, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* Length of the UTF-8 sequence at s, 0 if it is none. Control characters count as none: HTML allows
 * them nowhere. Reads no further than the first byte that does not continue, so never past the end
 * of the text. */
static size_t sequence(const unsigned char *s) {
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
               : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (n == 1 && (s[0] < 0x20 || s[0] == 0x7F) && !strchr("\t\n", s[0])) return 0;
    return n;
}

/* Escaped so that a text can stand between tags and in an attribute alike. A class name comes from
 * a settings file, an image's from a list: either may hold markup, or bytes that are no UTF-8. */
void html_text(html *h, const char *text) {
    static const char *const entity[] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    if (!text) return;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = sequence(s);
        if (n == 0)
            html_put(h, "\xEF\xBF\xBD");
        else if (*s < sizeof entity / sizeof *entity && entity[*s])
            html_put(h, entity[*s]);
        else
            html_bytes(h, (const char *)s, n);
        s += n ? n : 1;
    }
}

void html_base64(html *h, const void *data, size_t bytes) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    char *out = reserve(h, (bytes + 2) / 3 * 4);
    if (!out) return;
    for (size_t i = 0; i < bytes; i += 3, out += 4) {
        /* Three bytes are four digits of six bits; what lacks at the end is "=". */
        uint32_t second = i + 1 < bytes ? in[i + 1] : 0, third = i + 2 < bytes ? in[i + 2] : 0;
        uint32_t v = (uint32_t)in[i] << 16 | second << 8 | third;
        out[0] = digit[v >> 18];
        out[1] = digit[v >> 12 & 63];
        out[2] = i + 1 < bytes ? digit[v >> 6 & 63] : '=';
        out[3] = i + 2 < bytes ? digit[v & 63] : '=';
    }
    h->size += (bytes + 2) / 3 * 4;
}

void html_fail(html *h, status st) {
    if (h->result == STATUS_OK) h->result = st;
}
