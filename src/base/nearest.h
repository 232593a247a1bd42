/* The known word that a mistyped one is nearest to. Not collective. */
#ifndef AUXSEG_BASE_NEAREST_H
#define AUXSEG_BASE_NEAREST_H

#include <stdbool.h>

/* Insertions, deletions and substitutions that turn a into b (Levenshtein); case counts. Words
 * longer than 63 bytes are compared by their beginnings. */
int nearest_distance(const char *a, const char *b);
/* Index of the word of known [count] nearest to `word`, the first of several; -1 for count 0. */
int nearest_word(const char *word, const char *const *known, int count);
/* Whether one may be the other, mistyped: at most half of the longer one's letters differ. */
bool nearest_likely(const char *a, const char *b);
/* ": did you mean X?" with the nearest word, "" where none is likely: text [NEAREST_HINT], which is
 * returned. */
enum { NEAREST_HINT = 128 };
const char *nearest_hint(char *text, const char *word, const char *const *known, int count);

#endif
