/* Groups of auxiliary labels (pretrain.label_groups): rows of another label of the same group are
 * no negatives of each other (src/contrast/loss.h). */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_GROUPS_H
#define AUXSEG_APP_TRAINING_PRETRAIN_GROUPS_H

#include "io/hdf5/labels.h"
#include "mpi/comm.h"
#include "src/base/settings.h"

/* *group [K], owned by the caller: the group of each label of `aux`, the same on every rank; NULL
 * where the settings ask for none. name: the stage's, for messages. STATUS_USAGE: more groups than
 * labels. Collective. */
status pretrain_groups_create(
    int32_t **group, const comm *c, const settings *s, const labels *aux, const char *name);

#endif
