/* Training images that are held out, to choose settings by. Not collective. */
#ifndef AUXSEG_IO_DATASET_HELD_OUT_H
#define AUXSEG_IO_DATASET_HELD_OUT_H

#include "io/dataset/layout_items.h"
#include "src/base/settings.h"

/* dataset.held_out, if it is not 0: so many labelled training images, or such a share of them,
 * become validation images in place of the list's own, which leave it (dataset.held_out_for =
 * "evaluate"), or the split "held-out" beside them ("validate"). Which ones: names that differ in
 * numbers alone are a sequence, in the order of the numbers, cut into blocks of
 * dataset.held_out_block; blocks are taken in the order of a hash of their first name, the last one
 * in part, so that the choice rests on the names alone and a larger number holds all of a smaller
 * one. STATUS_USAGE where no labelled training image would be left. */
status held_out_take(layout *l, const settings *s);
/* Says how many there are; nothing without the setting. */
void held_out_log(const layout *l, const settings *s);

#endif
