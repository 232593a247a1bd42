/* The list of a data set's images while it is made. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_ITEMS_H
#define AUXSEG_IO_DATASET_LAYOUT_ITEMS_H

#include "io/dataset/layouts/layout_spec.h"
#include "src/base/status.h"

typedef struct layout_item {
    char *image, *label; /* paths; label NULL: none */
    char *name;          /* unique: path relative to the root */
    split split;
    int list, line; /* where it is listed: of layout.list, and from 1; line 0: found in a folder */
} layout_item;

enum { LAYOUT_LISTS_MOST = 16 };

typedef struct layout {
    layout_item *item; /* sorted by split, then by order of the list (folder: by name) */
    int items;
    int unlabelled, left_out;      /* of dataset.unlabelled: taken, and already in the list */
    int held_out;                  /* by dataset.held_out */
    char *list[LAYOUT_LISTS_MOST]; /* paths of the lists that were read; where they were read */
    int lists;
    const layout_variant *variant; /* the form in which the data set was found; constant */
} layout;

/* image and label (NULL: none) as listed, below root unless they are absolute; the name is image.
 * On failure l is as it was. */
status layout_append(
    layout *l, const char *root, split which, const char *image, const char *label);
/* Begins a list, by its path. */
status layout_begin_list(layout *l, const char *path);
/* Items from `first` on, which were appended for one line of the list that was begun last. */
void layout_note_line(layout *l, int first, int line);
/* Splits one after another; within one the order stays. */
status layout_sort_splits(layout *l);
void layout_destroy(layout *l);

/* root/listed, or listed itself where it is absolute. Owned by the caller; NULL without memory or
 * where it is too long. */
char *layout_join(const char *root, const char *listed);

#endif
