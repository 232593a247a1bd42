/* Pretraining by instance contrast: pretrain.method = "instance", and "dense". */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_INSTANCE_H
#define AUXSEG_APP_TRAINING_PRETRAIN_INSTANCE_H

#include "src/app/training/contrast_task.h"

/* The training of a stage that has begun and is not done, to its record. Of the task it takes
 * weights, output and list. Collective. */
status pretrain_instance(stage *t, const contrast_task *task);

#endif
