/* The contrastive stage: two views of each image, the global pool, the network up to its
 * classifier. */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_H
#define AUXSEG_APP_TRAINING_PRETRAIN_H

#include "src/app/training/contrast_task.h"

/* From model.weights to pretrained.safetensors. Collective. Skipped if done. */
status pretrain_model(const comm *c, const settings *s, int round);

/* The training of a stage that has begun and is not done, to its record. Collective. */
status pretrain_task(stage *t, const contrast_task *task);
/* Of its checkpoints, but for the arithmetic (arithmetic_hash). Not collective. */
uint64_t pretrain_loss_key(const stage *t);

/* The command: round 1. Collective. */
status command_pretrain(const comm *c, const settings *s);

#endif
