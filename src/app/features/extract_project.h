/* The projection on principal components of features that are not in memory: for extract_compute.c
 * alone. */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_PROJECT_H
#define AUXSEG_APP_FEATURES_EXTRACT_PROJECT_H

#include "io/hdf5/features.h"
#include "src/app/stage/stage.h"

/* Rows of raw, mapped, projected on extract.pca axes and rounded to `type`, image by image into the
 * file `path`: the bytes that extract_pca and features_write would give. Collective. The same
 * for any number of ranks and threads. */
status extract_project(
    stage *t, const features *raw, dtype type, const char *path, const features_origin *from);

#endif
