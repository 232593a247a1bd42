/* The end of a training stage. */
#ifndef AUXSEG_APP_TRAINING_TRAINING_END_H
#define AUXSEG_APP_TRAINING_TRAINING_END_H

#include "src/app/stage/stage.h"
#include "src/app/training/trainer.h"

/* Writes the weights to `path`, records them, removes the checkpoints. Collective. */
status training_end(stage *t, trainer *x, const char *path);

#endif
