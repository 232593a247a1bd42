/* A network with fixed weights, run over images of any size. */
#ifndef AUXSEG_APP_STAGE_INFERENCE_H
#define AUXSEG_APP_STAGE_INFERENCE_H

#include "io/dataset/dataset.h"
#include "src/app/stage/arithmetic.h"
#include "src/base/settings.h"
#include "src/image/input.h"
#include "src/model/network.h"
#include "src/nn/plan/plan.h"

enum { INFERENCE_PLANS = 8 }; /* of the shapes asked for last: data sets have few, or very many */
typedef struct inference inference;

/* Which network, and with what. Texts are borrowed for the call. */
typedef struct inference_options {
    network_end end;
    const char *layers;  /* NETWORK_FEATURES only */
    const char *weights; /* a file */
    arithmetic how;
    bool own; /* NETWORK_FEATURES: by the trained network's encoder, not extract.backbone */
} inference_options;

/* Collective. */
status inference_create(inference **out, const comm *c, const settings *s, const dataset *d,
    const inference_options *o);
/* A network that is trained meanwhile; all of it borrowed. */
typedef struct inference_network {
    graph *g;
    parameters *p;
    const image_input *input;
    const arithmetic *how;
} inference_network;

/* Not collective. */
status inference_create_over(inference **out, const settings *s, const inference_network *o);
/* The parameters have changed. Not collective. */
status inference_pack(inference *n);
/* NULL-safe. */
void inference_destroy(inference *n);
/* Images of this shape that a plan runs at once at most: a few a thread, of very large ones no more
 * than there are threads. */
int inference_images(const inference *n, int height, int width);
int inference_threads(const inference *n);
/* The plan for images of a shape: made at the first request. Owned by n, which keeps a few and
 * drops the one that was not asked for longest. Not collective. */
status inference_plan(inference *n, int height, int width, plan **out);
/* How its images are given, for image_normalize. */
const image_input *inference_input(const inference *n);
/* Of output 0. */
int inference_channels(const inference *n);
int inference_stride(const inference *n);

/* In which sizes a network is given an image of a data set: as it is at dataset.scale, and that
 * magnified by each of a list of scales. Borrowed. */
typedef struct inference_sizes {
    double scale;
    const char *scales;
} inference_sizes;

/* How many images from list[first] on (list NULL: image `first`), below `end`, have one shape at
 * sizes->scale, and no more than the plan of any of the sizes takes at once. */
int inference_run(const inference *n, const dataset *d, const int *list, int first, int end,
    const inference_sizes *sizes);

#endif
