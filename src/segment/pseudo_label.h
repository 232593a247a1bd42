/* Labels that a network's own predictions give to pixels. Not collective. */
#ifndef AUXSEG_SEGMENT_PSEUDO_LABEL_H
#define AUXSEG_SEGMENT_PSEUDO_LABEL_H

#include "src/image/cutmix.h"
#include "src/segment/upsample.h"

#include <stdint.h>

/* labels [H, W]: the class of the largest logit after bilinear upsampling, the lowest of several,
 * where its softmax is at least `confidence`; else LABEL_IGNORE (Lee 2013; Sohn et al. 2020,
 * arXiv:2001.07685, section 2). Pixels in the box are those of `inside`, which may be NULL where
 * the box is empty: labels are mixed as the views are (French et al. 2020, arXiv:1906.01916). Both
 * maps have one shape. A pixel with a logit that is NaN or +infinity has no label. One thread, one
 * order: the same bits wherever it runs. */
status pseudo_labels(const logit_map *outside, const logit_map *inside, const mix_box *box,
    int height, int width, double confidence, uint16_t *labels);

#endif
