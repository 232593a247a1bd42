/* The words of an enum: one looked up among them, all of them for a message. */
#include "src/base/choice.h"

#include <stdio.h>
#include <string.h>

/* Whole words, case counts: what a saved file holds is one of them, and no beginning of a word may
 * come to mean another one when a word is added. */
int choice_find(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}

void choice_list(const char *const *words, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; words[i] && used < size; i++)
        /* snprintf returns what it would have written: after a cut `used` is beyond `size`, and the
         * loop ends before a difference of the two could wrap around. */
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "|" : "", words[i]);
}
