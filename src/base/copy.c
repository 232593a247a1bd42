/* Texts of any length: names, folders and settings that outlive what they come from. */
#include "src/base/copy.h"

#include "src/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *copy_text(const char *text) {
    return copy_print("%s", text);
}

char *copy_print(const char *format, ...) {
    va_list a, b;
    va_start(a, format);
    va_copy(b, a);
    int n = vsnprintf(NULL, 0, format, a);
    char *text = n >= 0 ? memory_alloc((size_t)n + 1, 1, "a text") : NULL;
    if (text) vsnprintf(text, (size_t)n + 1, format, b);
    va_end(b);
    va_end(a);
    return text;
}
