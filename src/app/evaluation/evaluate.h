/* The evaluation stage: aAcc, mIoU, mAcc of a model over a split (src/segment/confusion.h). */
#ifndef AUXSEG_APP_EVALUATION_EVALUATE_H
#define AUXSEG_APP_EVALUATION_EVALUATE_H

#include "mpi/comm.h"
#include "src/base/settings.h"

/* Evaluates the weights of a file; figures go to run.json under `group` ("baseline", "finetuned";
 * round 2 and later with its number). Collective. Skipped if done. */
status evaluate_model(
    const comm *c, const settings *s, const char *group, int round, const char *weights);

/* The command: evaluate.weights. Collective. */
status command_evaluate(const comm *c, const settings *s);

#endif
