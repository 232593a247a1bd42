/* The words of an enum: one looked up among them, all of them for a message. */
#include "src/base/choice.h"

#include <stdio.h>
#include <string.h>

int choice_find(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}

void choice_list(const char *const *words, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; words[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "|" : "", words[i]);
}
