/* Confusion matrix and the measures of mmsegmentation: aAcc, mIoU, mAcc (void ignored, one global
 * matrix; a class that is neither labelled nor predicted is left out of the means). Not collective.
 */
#ifndef AUXSEG_SEGMENT_CONFUSION_H
#define AUXSEG_SEGMENT_CONFUSION_H

#include "src/base/status.h"
#include "src/segment/upsample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* matrix [K, K] (label, prediction) is added to. label, prediction [n]; LABEL_IGNORE is skipped. */
void confusion_add(
    int64_t *matrix, int classes, const uint16_t *label, const uint16_t *prediction, size_t n);

typedef struct segment_scores {
    double accuracy, mean_iou, mean_accuracy;
} segment_scores; /* in [0, 1] */

/* iou, class_accuracy [K], NaN where undefined; may be NULL. */
segment_scores confusion_scores(
    const int64_t *matrix, int classes, double *iou, double *class_accuracy);

/* probability [H, W, K] += softmax of the logits upsampled (bilinear) to H x W, mirrored if flip.
 * STATUS_FAILED without memory; STATUS_NONFINITE, without a message, where a pixel has no softmax
 * (a logit is NaN or +infinity), which would else be class 0. */
status segment_accumulate(
    const logit_map *logits, bool flip, int height, int width, float *probability);
/* prediction [H, W]: the class of the largest score, ties to the lowest. */
void segment_predict(const float *probability, int classes, size_t pixels, uint16_t *prediction);

#endif
