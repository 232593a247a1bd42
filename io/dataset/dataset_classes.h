/* Classes and label ids of a data set, from its settings. Not collective. */
#ifndef AUXSEG_IO_DATASET_DATASET_CLASSES_H
#define AUXSEG_IO_DATASET_DATASET_CLASSES_H

#include "io/dataset/dataset_format.h"

#include <stdbool.h>

/* Sets classes, ignore, class_name, map and colours of t: what the settings say, else what the
 * layout's form v knows; known [LABEL_IDS], zero before: ids that a label
 * file may hold. labelled: whether there is a label at all; without one there need be no class.
 * dataset.label_map is "FROM:TO,FROM:TO,...", or a file (relative to dataset.root) of such pairs,
 * one a line, `FROM TO` too; "*" is every id not named; # begins a comment. dataset.colours names a
 * file of colours (colour_file.h): colours of one name are one class. dataset.names has a name for
 * each class, or none at all. STATUS_USAGE with a message where either is malformed. */
status dataset_classes_read(
    const settings *s, const layout_variant *v, bool labelled, dataset_table *t, uint8_t *known);

#endif
