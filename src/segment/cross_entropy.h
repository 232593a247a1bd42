/* Cross-entropy of logits that are upsampled to the labels' resolution (bilinear,
 * align_corners=False), without storing the upsampled logits. Not collective.
 * Equal to PyTorch's cross_entropy(interpolate(logits), labels, ignore_index, reduction="sum"). */
#ifndef AUXSEG_SEGMENT_CROSS_ENTROPY_H
#define AUXSEG_SEGMENT_CROSS_ENTROPY_H

#include "src/base/status.h"
#include "src/segment/upsample.h"

#include <stddef.h>
#include <stdint.h>

/* Pixels that count: not LABEL_IGNORE. labels [n]. */
int64_t cross_entropy_pixels(const uint16_t *labels, size_t n);

/* labels [H, W]; *loss is the sum over pixels that count, in float64, in pixel
 * order; gradient [h, w, K] becomes scale * d(sum)/d(logits). One thread, one order: the same bits
 * wherever it runs. STATUS_DATA, with a message, for a label that is neither a class nor
 * LABEL_IGNORE. */
status cross_entropy(const logit_map *logits, const uint16_t *labels, int height, int width,
    double scale, double *loss, float *gradient);

#endif
