/* Features as a network computes them: the work of extract.c, which decides whether it is needed.
 */
#ifndef AUXSEG_APP_EXTRACT_COMPUTE_H
#define AUXSEG_APP_EXTRACT_COMPUTE_H

#include "io/features.h"
#include "src/app/stage.h"

typedef struct extract_request {
    char weights[FILE_PATH], file[FILE_PATH], layers[64];
    uint64_t key; /* hash of everything that the features depend on */
    bool keep;    /* write them to `file` */
} extract_request;

/* This rank's block, normalised, projected and rounded as the settings say. Collective. The same
 * bits for any number of ranks and threads. */
status extract_compute(stage *t, const extract_request *q, feature_block *out);

#endif
