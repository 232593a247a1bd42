/* Classes and label ids of a data set, from its settings. Not collective. */
#ifndef AUXSEG_IO_DATASET_CLASSES_H
#define AUXSEG_IO_DATASET_CLASSES_H

#include "io/dataset_format.h"

/* Sets classes, ignore, class_name and map of t; known [LABEL_IDS]: ids that a label file may hold.
 * STATUS_USAGE with a message for a malformed dataset.label_map. */
status dataset_classes_read(const settings *s, dataset_table *t, uint8_t *known);

#endif
