/* The list of a data set's images while it is made. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_ITEMS_H
#define AUXSEG_IO_DATASET_LAYOUT_ITEMS_H

#include "io/dataset/layouts/layout_spec.h"
#include "src/base/status.h"

typedef struct layout_item {
    char *image, *label; /* paths; label NULL: none */
    char *name;          /* unique: path relative to the root */
    split split;
} layout_item;

typedef struct layout {
    layout_item *item; /* sorted by split, then by order of the list (folder: by name) */
    int items;
    int unlabelled, left_out;      /* of dataset.unlabelled: taken, and already in the list */
    int held_out;                  /* by dataset.held_out */
    const layout_variant *variant; /* the form in which the data set was found; constant */
} layout;

/* image and label (NULL: none) as listed, below root unless they are absolute; the name is image.
 * On failure l is as it was. */
status layout_append(
    layout *l, const char *root, split which, const char *image, const char *label);
/* Splits one after another; within one the order stays. */
status layout_sort_splits(layout *l);
void layout_destroy(layout *l);

/* root/listed, or listed itself where it is absolute. Owned by the caller; NULL without memory or
 * where it is too long. */
char *layout_join(const char *root, const char *listed);

#endif
