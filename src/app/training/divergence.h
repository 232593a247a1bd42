/* The end of a training whose values are not finite any more: found in the step in which it
 * happens, before anything is written. */
#ifndef AUXSEG_APP_TRAINING_DIVERGENCE_H
#define AUXSEG_APP_TRAINING_DIVERGENCE_H

#include "src/app/training/trainer.h"

enum { DIVERGENCE_TEXT = 512 };

/* Whether this rank holds weights, norm statistics or a state of the optimiser that no training
 * comes back from; text [DIVERGENCE_TEXT] names the tensor, else it is "". finite: what
 * optimizer_step said of weights and states, which are then not looked at again. Not collective. */
bool divergence_find(const trainer *t, bool finite, char *text);
/* Names stage, step and what the lowest rank with a text says, and which state is left. Returns
 * STATUS_NONFINITE. Collective. */
status divergence_report(trainer *t, const char *text);

#endif
