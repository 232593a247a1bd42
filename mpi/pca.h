/* Principal components of the feature rows of all ranks: the same bits for any number of ranks and
 * threads (LAPACK runs on rank 0). */
#ifndef AUXSEG_MPI_PCA_H
#define AUXSEG_MPI_PCA_H

#include "mpi/comm.h"
#include "src/label/pca.h"

/* Mean and the `components` axes of largest variance. Collective. x: this rank's rows, placed
 * (mpi/features_place.h). out: owned by the caller (pca_destroy), the same on every rank.
 * STATUS_USAGE if components is beyond D; STATUS_NONFINITE names image and pixel of a feature that
 * is not finite, or beyond 2^50. On failure *out is not touched. */
status pca_fit(const comm *c, const features *x, int components, int threads, pca *out);

#endif
