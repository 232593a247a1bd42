/* The colours in which the classes of a data set are known. Not collective. */
#ifndef AUXSEG_IO_DATASET_DATASET_COLOURS_H
#define AUXSEG_IO_DATASET_DATASET_COLOURS_H

#include "io/dataset/dataset.h"

/* out: of the palette in the label maps, if it tells all classes apart; else those that a data set
 * with these class names is published with (CamVid, Cityscapes, Pascal VOC); else, and beyond the
 * classes, palette_classes(). STATUS_DATA where a label map cannot be read. */
status dataset_colours(const dataset *d, palette out);

#endif
