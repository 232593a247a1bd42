/* The contrastive stage: two views of each image, the global pool, the network up to its
 * classifier. */
#ifndef AUXSEG_APP_PRETRAIN_H
#define AUXSEG_APP_PRETRAIN_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* From model.weights to pretrained.safetensors. Collective. Skipped if done. */
status pretrain_model(const comm *c, const settings *s, int round);

#endif
