/* The command line of a child, word by word. Not collective. */
#ifndef AUXSEG_APP_STUDY_STUDY_LINE_H
#define AUXSEG_APP_STUDY_STUDY_LINE_H

#include "src/app/study/study_plan.h"

enum { STUDY_WORDS = 2048, STUDY_LETTERS = 1 << 18 };

typedef struct study_line {
    char *word[STUDY_WORDS + 1]; /* [words], then NULL; into text */
    int words;
    char text[STUDY_LETTERS];
    size_t used;
    bool full; /* a word had no room */
} study_line;

/* The launcher of a point's ranks (mpirun with what it needs here, or the plan's), the program, and
 * the command. */
void study_line_begin(study_line *l, const study_plan *p, study_point at, const char *command);
void study_line_add(study_line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* CONFIG, the user's settings, then those that make the amount of work: the same at all points, or
 * as many times of it as there are ranks. folder: run.dir. */
void study_line_settings(study_line *l, const study_plan *p, study_point at, const char *folder);

#endif
