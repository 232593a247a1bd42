/* Looks a word up among the words of an enum. */
#include "src/base/choice.h"

#include <string.h>

int choice_find(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}
