/* Checks of the images and label maps that shall be packed. */
#ifndef AUXSEG_IO_DATASET_DATASET_CHECK_H
#define AUXSEG_IO_DATASET_DATASET_CHECK_H

#include "io/dataset/pack_state.h"

/* Decodes every image and label map of l by the rules (with classes), each rank a contiguous block.
 * Items that k tells of already are left as they are. k->found [items of l] is written, the same on
 * every rank; so are k's sums. STATUS_STOPPED when asked to stop: k is then what is done so far.
 * dataset.on_bad_image "stop": STATUS_DATA for the first bad one of a rank, which is named; "skip":
 * it is named, and `bad` in k->found. Prints the histogram of label ids, label maps without a
 * class, and images that are there twice. Collective; k->found does not depend on the number of
 * ranks. */
status dataset_check(
    const comm *c, const settings *s, const layout *l, const item_rules *rules, pack_state *k);

#endif
