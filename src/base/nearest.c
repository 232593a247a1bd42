/* "did you mean ...?": a mistyped key, command or word is an error, and the nearest known one is
 * almost always what was meant. One row of Levenshtein's table is enough, of a fixed length: words
 * come from users and may be of any. */
#include "src/base/nearest.h"

#include <stdio.h>
#include <string.h>

enum { WORD = 63 };

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Before step i row[j] is the distance of the first i - 1 letters of a to the first j of b.
 * `diagonal` keeps the one value of that row which is overwritten before it is needed. */
int nearest_distance(const char *a, const char *b) {
    int row[WORD + 1], m = (int)strnlen(a, WORD), n = (int)strnlen(b, WORD);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; i <= m; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

/* The first of equally near ones stays: a message is the same at each run. */
int nearest_word(const char *word, const char *const *known, int count) {
    int best = -1, distance = 0;
    for (int i = 0; i < count; i++) {
        int d = nearest_distance(word, known[i]);
        if (best >= 0 && d >= distance) continue;
        best = i;
        distance = d;
    }
    return best;
}

/* Two letters that have changed places count as two. */
bool nearest_likely(const char *a, const char *b) {
    int m = (int)strnlen(a, WORD), n = (int)strnlen(b, WORD);
    return 2 * nearest_distance(a, b) <= (m > n ? m : n);
}

/* Words that have nothing in common with what was written lead a reader astray. */
const char *nearest_hint(char *text, const char *word, const char *const *known, int count) {
    int at = nearest_word(word, known, count);
    text[0] = '\0';
    if (at >= 0 && nearest_likely(word, known[at]))
        snprintf(text, NEAREST_HINT, ": did you mean %.100s?", known[at]);
    return text;
}
