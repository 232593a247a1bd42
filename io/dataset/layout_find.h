/* Files of a walked folder by their names, with endings in any case. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_FIND_H
#define AUXSEG_IO_DATASET_LAYOUT_FIND_H

#include "io/dataset/layout_walk.h"

/* Into the order in which layout_find looks. */
void layout_find_sort(layout_files *f);
/* The file x END, by each of `ends` ("a|b") in turn: x as it is, END in any case. *found is a path
 * of f; NULL: there is none. STATUS_DATA with a message that names both where two of them differ in
 * the case of END alone: which is meant nobody can tell. folder: of f, for the message. */
status layout_find(
    const layout_files *f, const char *folder, const char *x, const char *ends, const char **found);

#endif
