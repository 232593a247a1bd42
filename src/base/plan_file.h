/* A plan: runs that are to be compared, as a libconfig file (src/app/compare/README.md has its
 * form). Not collective: one rank reads. */
#ifndef AUXSEG_BASE_PLAN_FILE_H
#define AUXSEG_BASE_PLAN_FILE_H

#include "src/base/status.h"

#include <stdint.h>

/* A setting as --set takes it, "group.key=value". */
typedef struct plan_setting {
    char *text;
    int line; /* of the file, from 1 */
} plan_setting;

typedef struct plan_cell {
    char *name, *about; /* about: "" where nothing is said */
    char *group;        /* cells of which the best one is told; "": none */
    int line;
    int reference; /* the cell that it is compared with; -1: none, or itself */
    plan_setting *set;
    int sets;
} plan_cell;

typedef struct plan_file {
    char *name;        /* of the file, without folder and ending */
    char *about;       /* one line */
    plan_setting *set; /* of all cells */
    int sets;
    plan_cell *cell;
    int cells;
    int images; /* the cell whose number of images all others are to see; -1: each as it is set */
    int64_t *seed;
    int seeds;
} plan_file;

enum { PLAN_MOST = 1000 }; /* cells, seeds, settings of a cell */

/* Reads a file. text: its content where it is no file, else NULL; `file` is then for messages. Keys
 * that there are not, settings whose key there is not, names that stand twice or are no name of a
 * folder, references to cells that there are not: every mistake with its line, STATUS_USAGE. Values
 * are not looked at. *out is destroyed by the caller, whatever is returned. */
status plan_file_read(plan_file *out, const char *file, const char *text);
void plan_file_destroy(plan_file *p);
/* "1-5,8" as seeds in place of those of the plan. STATUS_USAGE, with a message, if it is none. */
status plan_file_seeds(plan_file *p, const char *list);

#endif
