/* Data sets as they lie on disk: lists of images with labels, found in their published layout.
 * Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_H
#define AUXSEG_IO_DATASET_LAYOUT_H

#include "src/base/settings.h"

typedef struct layout_item {
    char *image, *label; /* paths; label NULL: none */
    char *name;          /* unique: path relative to the root */
    split split;
} layout_item;

typedef struct layout {
    layout_item *item; /* sorted by split, then by order of the list (folder: by name) */
    int items;
} layout;

/* settings.dataset: layout "camvid" (list files of two paths a line, `strip_prefix` removed,
 * relative to root; empty train/val: root/train.txt, root/val.txt), "pairs" (`image<TAB>label` a
 * line, label optional), "folder" (every .jpg, .jpeg, .png below root, recursively, unlabelled).
 * STATUS_DATA with file and line for an unreadable or malformed list, and for a listed name twice.
 */
status layout_read(layout *out, const settings *s);
void layout_destroy(layout *l);

#endif
