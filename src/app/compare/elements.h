/* The runs of a plan: each cell with each seed, numbered from 1 in the order in which they are
 * done. One rank; not collective. */
#ifndef AUXSEG_APP_COMPARE_ELEMENTS_H
#define AUXSEG_APP_COMPARE_ELEMENTS_H

#include "src/app/compare/results.h"
#include "src/base/plan_file.h"
#include "src/base/settings.h"

/* What all runs have in common. Borrowed. */
typedef struct elements {
    const plan_file *plan;
    const char *config;     /* the file of settings */
    const char *const *set; /* [sets], "group.key=value" of the command line */
    int sets;
    /* Where all cells are to see as many images: */
    int64_t images; /* 0: they are not */
    int64_t off;    /* most that one is away from it, as fine-tuning has whole steps */
    int *steps;     /* [cells], finetune.steps of each */
    char *store,
        *folder; /* what cells share: run.store, else below run.dir; the plan's folder. Owned */
} elements;

/* Reads the configuration, and every run's settings: STATUS_USAGE, naming the plan's line, where
 * they are wrong. e->plan to e->sets are set; destroyed by the caller, whatever is returned. */
status elements_create(elements *e);
void elements_destroy(elements *e);
int elements_count(const elements *e);
int elements_cell(const elements *e, int number);
int64_t elements_seed(const elements *e, int number);
/* The run's folder: owned by the caller. */
char *elements_folder(const elements *e, int number);
/* Its settings in the order in which they are set: *set [*sets], owned by the caller
 * (elements_free_settings). */
status elements_settings(const elements *e, int number, char ***set, int *sets);
void elements_free_settings(char **set, int sets);
/* The first earlier run whose output this one reads (a value "@CELL/FILE") from index 0 on; 0: no
 * more. */
int elements_needs(const elements *e, int number, int index);

/* How a run ended, in its folder: COMPARE_UNFINISHED where it has not with these settings.
 * STATUS_FAILED: for lack of memory that could not be told. */
status elements_code(const elements *e, int number, int *code);
status elements_keep_code(const elements *e, int number, status code);
/* Cells, seeds, folders and codes, and the settings in which cells differ, for
 * compare_results_fill. out is destroyed by the caller, whatever is returned. */
status elements_results(const elements *e, compare_results *out);

#endif
