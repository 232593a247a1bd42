/* The evaluation stage: aAcc, mIoU, mAcc of a model over a split (src/segment/confusion.h). */
#ifndef AUXSEG_APP_EVALUATION_EVALUATE_H
#define AUXSEG_APP_EVALUATION_EVALUATE_H

#include "src/app/stage/inference.h"
#include "src/app/stage/stage.h"
#include "src/image/image.h"

/* Evaluates the weights of a file; figures go to run.json under `group` ("baseline", "finetuned";
 * round 2 and later with its number). Collective. Skipped if done. */
status evaluate_model(
    const comm *c, const settings *s, const char *group, int round, const char *weights);

/* Predictions of `count` images of one shape (at most inference_chunk) at their own size, flips and
 * scales as in evaluate: out [count] are created. Not collective. */
status evaluate_predict(const stage *t, inference *net, const image *rgb, int count, labelmap *out);

/* How many images from list[first] on evaluate_predict may be given at once: of one shape, and no
 * more than their class probabilities leave memory for. Not collective. */
int evaluate_count(const stage *t, const inference *net, const int *list, int first, int end);

/* The command: evaluate.weights. Collective. */
status command_evaluate(const comm *c, const settings *s);

#endif
