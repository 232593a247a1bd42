/* Checks of the images and label maps that shall be packed. */
#ifndef AUXSEG_IO_DATASET_DATASET_CHECK_H
#define AUXSEG_IO_DATASET_DATASET_CHECK_H

#include "io/dataset/dataset_format.h"
#include "mpi/comm.h"

enum { DATASET_FILE_LIMIT = 1 << 30 }; /* bytes of one encoded image */

/* What was found of one image and its label map. */
typedef struct finding {
    uint32_t shape[BLOBS][2];
    uint64_t bytes[BLOBS], hash[BLOBS]; /* 0 where there is no label map */
    int32_t bad;
} finding;

/* Decodes every image and label map of l, each rank a contiguous block; t: classes and map; known
 * [LABEL_IDS]: ids that may occur. found [items of l] is written, the same on every rank.
 * dataset.on_bad_image "stop": STATUS_DATA for the first bad one of a rank, which is named; "skip":
 * it is named, and `bad` in found.
 * Prints the histogram of label ids, label maps without a class, and images that are there twice.
 * Collective; found does not depend on the number of ranks. */
status dataset_check(const comm *c, const settings *s, const layout *l, const dataset_table *t,
    const uint8_t *known, finding *found);

#endif
