/* The weights that a training begins with and those that it writes. */
#ifndef AUXSEG_APP_TRAINING_TRAINER_WEIGHTS_H
#define AUXSEG_APP_TRAINING_TRAINER_WEIGHTS_H

#include "src/app/training/trainer.h"

/* What the trainer's parameters begin with, and the average of them; from its file of weights, if
 * it has one. Collective. */
status trainer_initial_weights(trainer *t);
/* The result: the averaged weights where they are kept, of two networks the first one. *hash: of
 * what is written. metadata as in weights_save. Collective. */
status trainer_write_weights(
    const trainer *t, const char *path, const char *const *metadata, int pairs, uint64_t *hash);

#endif
