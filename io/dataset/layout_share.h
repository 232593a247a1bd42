/* A data set's list of images on every rank, read by one. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_SHARE_H
#define AUXSEG_IO_DATASET_LAYOUT_SHARE_H

#include "io/dataset/layout.h"
#include "mpi/comm.h"

/* layout_read on rank 0, the same list everywhere. Collective. */
status layout_share(const comm *c, const settings *s, layout *out);
/* Hash of paths, sizes and times of modification of what is listed, of splits and names: whether
 * packing anew could give something else. *found: images that are there, on rank 0. Collective. */
status layout_stamp(const comm *c, const settings *s, uint64_t *stamp, int *found);

#endif
