/* Ids and colours of label maps that mean nothing: which, where first, how often. Not collective.
 */
#ifndef AUXSEG_IO_DATASET_UNKNOWN_VALUES_H
#define AUXSEG_IO_DATASET_UNKNOWN_VALUES_H

#include "io/dataset/dataset_format.h"

#include <stdbool.h>

/* Values that are kept; of more only the pixels are counted. */
enum { UNKNOWN_KEPT = 24 };

typedef struct unknown_value {
    uint32_t value;   /* an id, or red * 65536 + green * 256 + blue */
    int32_t item;     /* of the list of images: the first that has it, and its first pixel there */
    int32_t x, y, at; /* column, row; at: the last item that was counted */
    int64_t pixels, maps;
} unknown_value;

typedef struct unknown_values {
    unknown_value value[UNKNOWN_KEPT]; /* [count] */
    int32_t count;
    int64_t others;       /* pixels of values that are not kept */
    int64_t maps, looked; /* label maps that have such a value, and all that were looked at */
} unknown_values;

/* n neighbouring pixels of a label map. Items come in rising order. */
void unknown_values_add(unknown_values *u, uint32_t value, int item, int x, int y, int64_t n);
/* The union of two that have seen other items. */
void unknown_values_merge(unknown_values *u, const unknown_values *from);
/* A message for each value, by its first item, as an error or as a warning. Returns how many. */
int unknown_values_report(
    unknown_values *u, const dataset_table *t, const layout *l, bool as_warning);

#endif
