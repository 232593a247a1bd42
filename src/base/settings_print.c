/* A setting's value and range as text: for the log, the saved settings, the pages, the hashes. */
#include "src/base/settings_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No type comes back: the caller goes by e->kind. */
void *setting_value(const setting *e, settings *s) {
    return (char *)s + e->offset;
}

/* The fewest digits that give the same number; always recognisable as a real. 17 digits tell every
 * double from all others; 6, the first try, hold most numbers that a person types. 1 becomes 1.0,
 * which libconfig reads as a real. */
static int print_real(double x, char *text, size_t size) {
    char digits[40];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        if (strtod(digits, NULL) == x) break;
    }
    return snprintf(text, size, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

/* The text is the same on every machine: "C" locale, no thousands, a real always with a point. */
int setting_print(const setting *e, const settings *s, char *text, size_t size) {
    const void *value = (const char *)s + e->offset;
    switch (e->kind) {
    case SETTING_FLAG:
        return snprintf(text, size, "%s", *(const bool *)value ? "true" : "false");
    case SETTING_INTEGER:
        return snprintf(text, size, "%d", *(const int *)value);
    case SETTING_LONG:
        return snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
    case SETTING_REAL:
        return print_real(*(const double *)value, text, size);
    case SETTING_CHOICE:
        return snprintf(text, size, "%s", e->words[*(const unsigned *)value]);
    case SETTING_WORDS:
        break;
    }
    return snprintf(text, size, "%s", (const char *)value);
}

bool setting_is_default(const setting *e, const settings *s) {
    const void *value = (const char *)s + e->offset;
    switch (e->kind) {
    case SETTING_FLAG:
        return *(const bool *)value == (e->number != 0);
    case SETTING_INTEGER:
        return *(const int *)value == (int)e->number;
    case SETTING_LONG:
        return *(const int64_t *)value == (int64_t)e->number;
    case SETTING_REAL:
        return *(const double *)value == e->number;
    case SETTING_CHOICE:
        return *(const unsigned *)value == (unsigned)e->number;
    case SETTING_WORDS:
        break;
    }
    return strcmp(value, e->text) == 0;
}

/* The empty word of a choice stands among the others, as "": it can be written, too. */
void setting_range(const setting *e, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    if (e->words) {
        for (const char *const *word = e->words; *word && used < size; word++)
            used +=
                (size_t)snprintf(text + used, size - used, "%s\"%s\"", used ? " | " : "", *word);
    } else if (e->kind == SETTING_FLAG) {
        snprintf(text, size, "true | false");
    } else if (e->kind != SETTING_WORDS) {
        snprintf(text, size, "%s, %.16g to %.16g%s%s",
            e->kind == SETTING_REAL ? "Number" : "Integer", e->min, e->max, e->unit ? " " : "",
            e->unit ? e->unit : "");
    }
}
