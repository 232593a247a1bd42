/* The fine-tuning stage: supervised segmentation on the labelled share. */
#ifndef AUXSEG_APP_TRAINING_FINETUNE_H
#define AUXSEG_APP_TRAINING_FINETUNE_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* From the weights of a file to a file of the run's folder, as STAGE_BASELINE, from plain
 * initial weights, or STAGE_FINETUNE, from contrastive pretraining. Everything else about them
 * is the same: labelled share, order of images, views, initial values of what is not loaded.
 * Collective. Skipped if done. */
status finetune_model(const comm *c, const settings *s, stage_id id, int round, const char *weights,
    const char *output);

/* The command: round 1, from finetune.weights. Collective. */
status command_finetune(const comm *c, const settings *s);

#endif
