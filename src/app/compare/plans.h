/* The plans that the program has in it: the files of configs/plans as they were when it was built,
 * so that an installed program needs no folder beside it. Not collective. */
#ifndef AUXSEG_APP_COMPARE_PLANS_H
#define AUXSEG_APP_COMPARE_PLANS_H

#include "src/base/plan_file.h"

typedef struct plan_text {
    const char *name, *text;
} plan_text;

/* Written by CMake; ends with a name that is NULL. */
extern const plan_text plans_built_in[];

/* By its name, or from a file: a word with a slash or the ending .cfg. STATUS_USAGE, with the names
 * that there are. out is destroyed by the caller, whatever is returned. */
status plans_read(plan_file *out, const char *word);
/* Each with one line about it, to standard output. */
status plans_print(void);

#endif
