/* The network of a stage and how it is given images: from the settings, and where these say "auto",
 * from the file of weights that it begins with or is used with. */
#ifndef AUXSEG_APP_STAGE_MODEL_SETUP_H
#define AUXSEG_APP_STAGE_MODEL_SETUP_H

#include "mpi/comm.h"
#include "src/base/settings.h"
#include "src/image/input.h"
#include "src/model/network.h"

typedef struct model_setup {
    network_options network;
    image_input input;
} model_setup;

/* weights: the file; "": random ones. Says by what the images' convention is chosen. Collective. */
status model_setup_read(
    const comm *c, const settings *s, const char *weights, int classes, model_setup *out);
/* What files of this network carry, so that whoever reads them knows: "input" and its text [texts
 * of IMAGE_INPUT_TEXT], "stride_in" and its word. metadata [4]. Not collective. */
void model_setup_metadata(const model_setup *m, char *text, const char **metadata);

#endif
