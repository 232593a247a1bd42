/* Data sets as they lie on disk: lists of images with labels, found in their published layout.
 * Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_H
#define AUXSEG_IO_DATASET_LAYOUT_H

#include "io/dataset/layout_items.h"
#include "src/base/settings.h"

#include <stdbool.h>

/* settings.dataset: the list that `layout` and `variant` describe, by the tables of
 * io/dataset/layouts. Lists of lines: "camvid" (two paths a line, `strip_prefix` removed, relative
 * to root; empty train, val, test: root/train.txt, val.txt, and test.txt if it is there), "pairs"
 * (`image<TAB>label` a line, label optional). "folder": every .jpg, .jpeg, .png below root,
 * recursively, unlabelled. STATUS_USAGE where no form of the layout is below root, with what is
 * expected; STATUS_DATA with file and line for an unreadable or malformed list, and for a listed
 * name twice. */
status layout_read(layout *out, const settings *s);

/* Whether anything of it is below root: the first list, a folder of images. Nothing is said. */
bool layout_there(const settings *s);

/* The number of a form among those of its layout, and back: what ranks tell each other. */
int layout_variant_number(const settings *s, const layout_variant *v);
const layout_variant *layout_variant_at(const settings *s, int number);

#endif
