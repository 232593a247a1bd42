/* Images without labels that are trained on beside a data set's own. Not collective. */
#ifndef AUXSEG_IO_DATASET_UNLABELLED_H
#define AUXSEG_IO_DATASET_UNLABELLED_H

#include "io/dataset/layout_items.h"
#include "src/base/settings.h"

/* dataset.unlabelled, if it is given: a list of paths, one a line, as in other lists, or a folder,
 * of which every .jpg, .jpeg and .png is taken, in the order of names. Appended to the training
 * images, behind those of the layout. Files that are images or label maps of the layout already are
 * left out. Names are paths as listed, in a folder behind its own. STATUS_DATA naming the setting
 * where nothing is found. */
status unlabelled_add(layout *l, const settings *s);
/* Says how many there are; nothing without the setting. */
void unlabelled_log(const layout *l, const settings *s);

#endif
