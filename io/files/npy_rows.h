/* Feature rows of all ranks in one .npy file for other programs (numpy.load, faiss, scikit-learn).
 */
#ifndef AUXSEG_IO_FILES_NPY_ROWS_H
#define AUXSEG_IO_FILES_NPY_ROWS_H

#include "mpi/comm.h"
#include "src/label/features.h"

/* Writes float32 [rows of all ranks, D], ranks in order: every rank its own rows, in place in a
 * temporary file that all see, which is then renamed. x: this rank's rows, placed; D is the same on
 * all. Collective. The same bytes for any number of ranks. STATUS_OUTPUT: the old file stays. */
status npy_write_rows(const comm *c, const char *path, const features *x);

/* Writes uint16 [total]: the labels of all ranks' rows, ranks in order, `before` of them before
 * this rank's n. Rank 0 alone writes, so that the folder may be its own. Collective. The same bytes
 * for any number of ranks. STATUS_OUTPUT: the old file stays. */
status npy_write_labels(const comm *c, const char *path, const uint16_t *label, int64_t n,
    int64_t before, int64_t total);

#endif
