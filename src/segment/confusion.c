/* From logits to predictions, and from predictions to the figures that papers report. Counts are
 * whole numbers, so that the matrix of all ranks is a plain sum, whatever the order; the figures
 * are made of it once, in the end, as mmsegmentation makes them: one matrix of the whole set, not a
 * mean over images, in which small images and rare classes would weigh more. */
#include "src/segment/confusion.h"

#include "src/base/memory.h"
#include "src/image/image.h"

#include <assert.h>
#include <math.h>

/* Pixels without a label are no errors, whatever is predicted there: they are in no cell. */
void confusion_add(
    int64_t *matrix, int classes, const uint16_t *label, const uint16_t *prediction, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (label[i] == LABEL_IGNORE) continue;
        assert(label[i] < classes && prediction[i] < classes);
        matrix[(size_t)label[i] * (size_t)classes + prediction[i]]++;
    }
}

/* Of the classes that have a figure: a class that nothing is, and nobody predicted, is not wrong.
 */
static double mean(double sum, int n) {
    return n ? sum / n : NAN;
}

/* Rows are labels, columns predictions. `label` counts the pixels that are k, `predicted` those
 * that were called k; in their union those that are both count once. */
segment_scores confusion_scores(
    const int64_t *matrix, int classes, double *iou, double *class_accuracy) {
    int64_t pixels = 0, right = 0;
    double iou_sum = 0, accuracy_sum = 0;
    int present = 0, labelled = 0; /* classes that occur at all; that are in the ground truth */
    for (int k = 0; k < classes; k++) {
        int64_t label = 0, predicted = 0, both = matrix[(size_t)k * (size_t)classes + (size_t)k];
        for (int j = 0; j < classes; j++) {
            label += matrix[(size_t)k * (size_t)classes + (size_t)j];
            predicted += matrix[(size_t)j * (size_t)classes + (size_t)k];
        }
        int64_t either = label + predicted - both;
        double i = either ? (double)both / (double)either : NAN;
        double a = label ? (double)both / (double)label : NAN;
        if (iou) iou[k] = i;
        if (class_accuracy) class_accuracy[k] = a;
        if (either) iou_sum += i, present++;
        if (label) accuracy_sum += a, labelled++;
        pixels += label;
        right += both;
    }
    return (segment_scores){.accuracy = pixels ? (double)right / (double)pixels : NAN,
        .mean_iou = mean(iou_sum, present),
        .mean_accuracy = mean(accuracy_sum, labelled)};
}

/* Probabilities are averaged over scales and flips, not logits: softmax first, so that a scale
 * whose logits are large in general does not outvote the others. */
status segment_accumulate(
    const logit_map *logits, bool flip, int height, int width, float *probability) {
    upsample u;
    status st = upsample_create(&u, logits, height, width);
    if (st != STATUS_OK) return st;
    size_t n = (size_t)width, k = (size_t)logits->classes;
    float *row = memory_alloc((k + 2) * n, sizeof *row, "rows of probabilities");
    if (!row) st = STATUS_FAILED;
    for (int y = 0; y < height && st == STATUS_OK; y++) {
        /* row [K, W], then the largest logit and the sum of each pixel. */
        float *largest = row + k * n, *sum = largest + n;
        upsample_row(&u, y, row);
        pixels_largest(row, logits->classes, width, largest);
        pixels_exponentials(row, logits->classes, width, largest, sum);
        for (size_t x = 0; x < n; x++) {
            /* The largest logit adds 1 to it. */
            if (!(sum[x] >= 0.5f)) st = STATUS_NONFINITE;
            float *to = probability + ((size_t)y * n + (flip ? n - 1 - x : x)) * k;
            for (size_t c = 0; c < k; c++) to[c] += row[c * n + x] / sum[x];
        }
    }
    memory_free(row);
    upsample_destroy(&u);
    return st;
}

/* Of equal ones the lowest class, as numpy's argmax has it. */
void segment_predict(const float *probability, int classes, size_t pixels, uint16_t *prediction) {
    for (size_t i = 0; i < pixels; i++) {
        const float *p = probability + i * (size_t)classes;
        int best = 0;
        for (int k = 1; k < classes; k++)
            if (p[k] > p[best]) best = k;
        prediction[i] = (uint16_t)best;
    }
}
