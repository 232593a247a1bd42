/* Principal components of the features, in place of all dimensions. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_PCA_H
#define AUXSEG_APP_FEATURES_EXTRACT_PCA_H

#include "io/hdf5/features.h"
#include "src/app/stage/stage.h"
#include "src/label/pca.h"

/* The axes of the features of all ranks. The share of the variance that extract.pca of them keep
 * goes to the log and to the stage's figures. out: owned by the caller (pca_destroy). Collective.
 */
status extract_pca_fit(stage *t, const features *x, pca *out);
/* y [n, components]: projections of x, of length 1 again where extract.normalize says so. Not
 * collective. */
status extract_pca_rows(const settings *s, const pca *p, const features *x, float *y);
/* Both: rows of x become their projections on extract.pca axes; nothing is done where that is 0.
 * Needs memory for both kinds of rows. Collective. The
 * same bits for any number of ranks and threads. */
status extract_pca(stage *t, features *x);

#endif
