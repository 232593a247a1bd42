/* Bilinear upsampling of logits (align_corners=False), a row of the output at a time, class by
 * class so that loops over pixels are vector code. Not collective. */
#ifndef AUXSEG_SEGMENT_UPSAMPLE_H
#define AUXSEG_SEGMENT_UPSAMPLE_H

#include "src/base/status.h"

#include <stddef.h>

/* What a network says of an image, at its own stride: class scores of each pixel. */
typedef struct logit_map {
    const float *data; /* [h, w, K], borrowed */
    int h, w, classes;
} logit_map;

/* Output index i lies between inputs low[i] and high[i]: (1 - weight[i]) low + weight[i] high. */
typedef struct axis {
    int *low, *high; /* [outputs] */
    float *weight;   /* [outputs] */
} axis;

typedef struct upsample {
    logit_map in;
    int height, width;
    axis y, x;
    float *wide[2]; /* [K, W]: input rows y.low and y.high of the present row, widened */
    int held[2];    /* which input rows those are, -1: none */
} upsample;

status upsample_create(upsample *out, const logit_map *in, int height, int width);
void upsample_destroy(upsample *u);
/* out [K, W]: output row y. Rows in ascending order widen each input row once. */
void upsample_row(upsample *u, int y, float *out);
/* The transpose in the horizontal: gradient [w, K] += what wide [K, W] says of an input row. */
void upsample_narrow(const upsample *u, const float *wide, float *gradient);

/* out [n]: the largest of n pixels' logits [K, n] over classes. */
void pixels_largest(const float *logits, int classes, int n, float *largest);
/* logits [K, n] become e^(logit - largest), sum [n] their sums. */
void pixels_exponentials(float *logits, int classes, int n, const float *largest, float *sum);

#endif
