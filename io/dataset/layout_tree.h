/* Data sets in the form that a table of io/dataset/layouts describes. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_TREE_H
#define AUXSEG_IO_DATASET_LAYOUT_TREE_H

#include "io/dataset/layout_items.h"

#include <stddef.h>

/* Whether root/inside holds it: the first part's images, its list, a label map of its ending. */
bool layout_tree_there(const layout_variant *v, const char *root, const char *inside);
/* Appends all images of all parts that are there, by split. Names are paths below root. STATUS_DATA
 * with a message for a list or a folder that cannot be read. Images without a label map, where
 * others of the same part have one, are named in a warning. */
status layout_tree_read(layout *l, const layout_variant *v, const char *root, const char *inside);
/* What is expected below root, for a message: images, label maps, the list. */
void layout_tree_expected(const layout_variant *v, char *text, size_t size);

#endif
