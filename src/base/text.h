/* Small questions about texts. Not collective. */
#ifndef AUXSEG_BASE_TEXT_H
#define AUXSEG_BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

/* Whether `text` ends with `end`; the whole text counts as an end of itself. */
static inline bool text_ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

#endif
