/* What fails in a training without anybody's doing, as tests ask for it (src/base/hook.h). */
#ifndef AUXSEG_APP_TRAINING_FAULTS_H
#define AUXSEG_APP_TRAINING_FAULTS_H

#include "src/app/training/trainer.h"

/* Before the optimiser's N-th step of this start: AUXSEG_HOOK_BIT turns a bit of a weight over,
 * _WEIGHT and _STATISTIC make a weight and a norm's running mean NaN, _STATE a state of the
 * optimiser infinite. Does nothing in a program without tests. */
void faults_inject(trainer *t);

#endif
