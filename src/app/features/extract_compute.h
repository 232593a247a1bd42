/* Features as a network computes them: the work of extract.c, which decides whether it is needed.
 */
#ifndef AUXSEG_APP_FEATURES_EXTRACT_COMPUTE_H
#define AUXSEG_APP_FEATURES_EXTRACT_COMPUTE_H

#include "io/hdf5/features.h"
#include "src/app/features/extract.h"
#include "src/app/stage/stage.h"

typedef struct extract_request {
    char weights[FILE_PATH], file[FILE_PATH], layers[EXTRACT_LAYERS];
    uint64_t key; /* hash of everything that the features depend on */
    bool own;     /* by the trained network's encoder, whatever extract.backbone says */
    bool keep;    /* write them to `file` */
    bool stream;  /* write them there as they come, and map them */
} extract_request;

/* This rank's block, normalised, projected and rounded as the settings say; states first how much
 * memory it takes. Collective. The same bits for any number of ranks and threads, streamed or not.
 */
status extract_compute(stage *t, const extract_request *q, features *out);

#endif
