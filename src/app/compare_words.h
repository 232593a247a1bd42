/* The words of `compare`. Not collective. */
#ifndef AUXSEG_APP_COMPARE_WORDS_H
#define AUXSEG_APP_COMPARE_WORDS_H

#include "src/app/stage/arguments.h"
#include "src/base/status.h"

#include <stdbool.h>

/* All borrowed from argv. */
typedef struct compare_words {
    const char *config, *plan, *seeds; /* seeds NULL: the plan's */
    arguments line;
    int cell; /* 0: all runs */
    bool list, collect, plans;
    bool planned; /* --plan, --seeds or --cell is there */
    char **run;   /* [runs]: folders behind --of */
    int runs;
} compare_words;

/* Every mistake is named: STATUS_USAGE. w may be destroyed after any status. */
status compare_words_read(compare_words *w, int argc, char **argv);
void compare_words_destroy(compare_words *w);
/* The words that make the same comparison, all of it: what run of it this start does is left out.
 * words: room for compare_words_most() of them; borrowed from w. Returns how many. */
int compare_words_again(const compare_words *w, const char **words);
int compare_words_most(const compare_words *w);
/* Whether the words ask for what needs no MPI. */
bool compare_words_quick(int argc, char **argv);

#endif
