/* Checks of the images and label maps that shall be packed. */
#ifndef AUXSEG_IO_DATASET_DATASET_CHECK_H
#define AUXSEG_IO_DATASET_DATASET_CHECK_H

#include "io/dataset/item_check.h"
#include "mpi/comm.h"

/* Decodes every image and label map of l by the rules (with classes), each rank a contiguous block.
 * found [items of l] is written, the same on every rank. dataset.on_bad_image "stop": STATUS_DATA
 * for the first bad one of a rank, which is named; "skip": it is named, and `bad` in found.
 * Prints the histogram of label ids, label maps without a class, and images that are there twice.
 * Collective; found does not depend on the number of ranks. */
status dataset_check(
    const comm *c, const settings *s, const layout *l, const item_rules *rules, finding *found);

#endif
