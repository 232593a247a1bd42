/* The evaluation stage: aAcc, mIoU, mAcc of a model over a split (src/segment/confusion.h). */
#ifndef AUXSEG_APP_EVALUATION_EVALUATE_H
#define AUXSEG_APP_EVALUATION_EVALUATE_H

#include "mpi/comm.h"
#include "src/app/stage/inference.h"
#include "src/app/stage/stage.h"
#include "src/base/settings.h"

/* Evaluates the weights of a file; figures go to run.json under `group` ("baseline", "finetuned",
 * "weights" for those of one's own; round 2 and later with its number). Collective. Skipped if
 * done. */
status evaluate_model(
    const comm *c, const settings *s, const char *group, int round, const char *weights);

/* Adds images list[0] .. list[count - 1], as class_maps_count gives them, to the confusion matrix
 * [classes, classes], rows by ground truth. On failure some may have been added. Not collective. */
status evaluate_images(stage *t, inference *net, const int *list, int count, int64_t *matrix);

/* The command: evaluate.weights. Collective. */
status command_evaluate(const comm *c, const settings *s);

#endif
