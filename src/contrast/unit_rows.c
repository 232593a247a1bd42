/* What stands between the network's embeddings and the pool: only their direction is compared, so
 * the part of a gradient along the embedding is taken out on the way back. */
#include "src/contrast/unit_rows.h"

#include "src/base/unit_length.h"

#include <stddef.h>

/* Row by row, each by the definition; the scale is kept, as the gradient needs it. */
void unit_rows_take(const unit_rows *r, const float *e) {
    size_t d = (size_t)r->d;
    for (int k = 0; k < r->count; k++)
        r->scale[k] = unit_length_row(e + (size_t)r->pixel[k] * d, r->d, r->z + (size_t)k * d);
}

/* Gradients of the same pixel add in the order of rows. */
void unit_rows_scatter(const unit_rows *r, const float *gradient_z, float *gradient_e) {
    size_t d = (size_t)r->d;
    for (int k = 0; k < r->count; k++) {
        const float *g = gradient_z + (size_t)k * d, *z = r->z + (size_t)k * d;
        float *to = gradient_e + (size_t)r->pixel[k] * d;
        double along = 0;
        for (size_t j = 0; j < d; j++) along += (double)g[j] * (double)z[j];
        for (size_t j = 0; j < d; j++)
            to[j] += (float)(((double)g[j] - (double)z[j] * along) * r->scale[k]);
    }
}
