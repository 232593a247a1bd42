/* The auxiliary labels that a training compares pixels by, and their groups
 * (pretrain.label_groups). */
#ifndef AUXSEG_APP_TRAINING_AUXILIARY_H
#define AUXSEG_APP_TRAINING_AUXILIARY_H

#include "io/hdf5/labels.h"
#include "src/app/stage/stage.h"

/* labels.h5 of the stage's round; recorded: hash of what run.json has of the clustering. *out is
 * the caller's (labels_close), also where it fails. STATUS_DATA: the file is another. Collective.
 */
status auxiliary_open(labels **out, const stage *t, uint64_t recorded);
/* *group [K], owned by the caller: the group of each label of `aux`, the same on every rank; rows
 * of another label of the same group are no negatives of each other (src/contrast/loss.h). NULL
 * where the settings ask for none, or aux is NULL. STATUS_USAGE: more groups than labels.
 * Collective. */
status auxiliary_groups(int32_t **group, const stage *t, const labels *aux);

#endif
