/* Principal components of the features, in place of all dimensions. */
#ifndef AUXSEG_APP_REDUCE_H
#define AUXSEG_APP_REDUCE_H

#include "io/features.h"
#include "src/app/stage.h"

/* Rows of b become their projections on extract.pca axes, of length 1 again where
 * extract.normalize says so; nothing is done where it is 0. The share of the variance that is kept
 * goes to the log and to the stage's figures. Needs memory for both kinds of rows. Collective. The
 * same bits for any number of ranks and threads. */
status reduce_features(stage *t, feature_block *b);

#endif
