/* The loss and its gradient by definition, in float64 over all pairs: for tests. */
#ifndef AUXSEG_TESTS_CONTRAST_REFERENCE_H
#define AUXSEG_TESTS_CONTRAST_REFERENCE_H

#include "src/contrast/loss.h"

/* gradient [n, D] is written. */
contrast_stats reference_loss(const contrast_options *o, const contrast_pool *p, double *gradient);
/* n unit rows around `labels` centres, labels -1 .. labels - 1, images 0 .. images - 1, partners
 * half a pool apart for three rows of four: z [n, D], label, image, partner [n]. */
void reference_pool(uint64_t seed, size_t n, int d, int labels, int images, float *z,
    int32_t *label, int32_t *image, int32_t *partner);
/* L2 norm of the difference over that of the reference. */
double reference_error(const float *x, const double *reference, size_t n);

#endif
