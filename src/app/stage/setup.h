/* What stages derive from the settings in the same way. */
#ifndef AUXSEG_APP_STAGE_SETUP_H
#define AUXSEG_APP_STAGE_SETUP_H

#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "src/base/settings.h"
#include "src/image/augment.h"
#include "src/model/network.h"
#include "src/nn/graph/optimizer.h"
#include "src/nn/plan/plan.h"

/* path [FILE_PATH]: a file of the run's folder; round 2 and later: "labels.h5" is "labels-2.h5".
 * Not collective. */
status setup_path(char *path, const settings *s, const char *name, int round);
/* Creates the run's folder and its checkpoints. Collective. */
status setup_folder(const comm *c, const settings *s);
/* Opens the run's data set. Collective. */
status setup_dataset(const comm *c, const settings *s, dataset **out);

/* How many training images the data set has: they come first. Not collective. */
int setup_training(const dataset *d);

/* run.threads, or OpenMP's own number. Not collective. */
int setup_threads(const settings *s);
/* classes: of the data set. Not collective. */
network_options setup_network(const settings *s, int classes);
optimizer_options setup_optimizer(const optimizer_settings *s);
/* Views of side `crop` as a stage's settings describe them. */
augment_options setup_views(const view_settings *v, int crop);
/* Bytes that this rank may spend on decoded images: its part of a quarter of what the node, or the
 * batch system's control group, has left; 0: not known. */
size_t setup_cache_bytes(const comm *c);

#endif
