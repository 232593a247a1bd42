/* One place where control characters of strangers' texts are made visible. Not at the places where
 * names are read: files may be called as they like, and are found by their own names; and not at
 * each place where one is printed, of which one would be forgotten. */
#include "src/base/plain.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of the control character at `at`; 0: it is none. */
static size_t control_length(const unsigned char *at, bool lines) {
    if (*at == '\t' || (*at == '\n' && lines)) return 0;
    if (*at < 0x20 || *at == 0x7F) return 1;
    return at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F ? 2 : 0;
}

/* lines: newlines stay. */
static size_t write_plain(char *out, size_t size, const char *in, bool lines) {
    static const char digit[] = "0123456789abcdef";
    const unsigned char *at = (const unsigned char *)in;
    size_t n = 0;
    while (*at) {
        size_t control = control_length(at, lines), bytes = control ? 4 * control : 1;
        if (n + bytes >= size) break;
        for (size_t k = 0; k < control; k++, at++) {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digit[*at >> 4];
            out[n++] = digit[*at & 15];
        }
        if (!control) out[n++] = (char)*at++;
    }
    out[n] = '\0';
    return n;
}

size_t plain_text(char *out, size_t size, const char *in) {
    return write_plain(out, size, in, true);
}

size_t plain_line(char *out, size_t size, const char *in) {
    return write_plain(out, size, in, false);
}

/* Twice: once for the length. A text that cannot be held is left out: it is one for people. */
void plain_print(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = malloc(size), *plain = malloc(4 * size);
    if (text && plain) {
        vsnprintf(text, size, format, again);
        plain_text(plain, 4 * size, text);
        fputs(plain, stdout);
    }
    free(text);
    free(plain);
    va_end(again);
    va_end(arguments);
}
