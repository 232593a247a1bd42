/* What a comparison says in words beside its figures, alike in the table and on the page. */
#ifndef AUXSEG_APP_COMPARE_COMPARE_NOTES_H
#define AUXSEG_APP_COMPARE_COMPARE_NOTES_H

#include "src/app/compare/results.h"

enum { COMPARE_NOTE = 256 };

/* Whether the cells that have results have seen as many images as the plan wants, and which one has
 * not: text [COMPARE_NOTE]; "" where it wants nothing. */
void compare_note_images(const compare_results *r, char *text);
/* "best of GROUP: CELL ..." of a cell that is the best: text [COMPARE_NOTE]; "" of others. */
void compare_note_best(const compare_cell *cell, char *text);

#endif
