/* The known word that a mistyped one is nearest to. Not collective. */
#ifndef AUXSEG_BASE_NEAREST_H
#define AUXSEG_BASE_NEAREST_H

/* Insertions, deletions and substitutions that turn a into b (Levenshtein); case counts. Words
 * longer than 63 bytes are compared by their beginnings. */
int nearest_distance(const char *a, const char *b);
/* Index of the word of known [count] nearest to `word`, the first of several; -1 for count 0. */
int nearest_word(const char *word, const char *const *known, int count);

#endif
