#include "src/segment/confusion.h"

#include "src/base/memory.h"
#include "src/image/image.h"
#include "src/segment/upsample.h"

#include <assert.h>
#include <math.h>

void confusion_add(
    int64_t *matrix, int classes, const uint16_t *label, const uint16_t *prediction, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (label[i] == LABEL_IGNORE) continue;
        assert(label[i] < classes && prediction[i] < classes);
        matrix[(size_t)label[i] * (size_t)classes + prediction[i]]++;
    }
}

static double mean(double sum, int n) {
    return n ? sum / n : NAN;
}

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

status segment_accumulate(const float *logits, int h, int w, int classes, int flip, int height,
    int width, float *probability) {
    upsample u;
    status s = upsample_create(&u, logits, h, w, classes, height, width);
    if (s) return s;
    size_t n = (size_t)width, k = (size_t)classes;
    float *row = memory_alloc((k + 2) * n, sizeof *row, "rows of probabilities");
    s = row ? STATUS_OK : STATUS_FAILED;
    for (int y = 0; y < height && !s; y++) {
        float *largest = row + k * n, *sum = largest + n;
        upsample_row(&u, y, row);
        pixels_largest(row, classes, width, largest);
        pixels_exponentials(row, classes, width, largest, sum);
        for (size_t x = 0; x < n; x++) {
            float *to = probability + ((size_t)y * n + (flip ? n - 1 - x : x)) * k;
            for (size_t c = 0; c < k; c++) to[c] += row[c * n + x] / sum[x];
        }
    }
    memory_free(row);
    upsample_destroy(&u);
    return s;
}

void segment_predict(const float *probability, int classes, size_t pixels, uint16_t *prediction) {
    for (size_t i = 0; i < pixels; i++) {
        const float *p = probability + i * (size_t)classes;
        int best = 0;
        for (int k = 1; k < classes; k++)
            if (p[k] > p[best]) best = k;
        prediction[i] = (uint16_t)best;
    }
}
