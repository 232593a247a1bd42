/* Weighted means of neighbours, the one loop of resizing and of views. Which neighbours, and with
 * what weights, is worked out beforehand (taps_at): the loops here do nothing but multiply and add.
 */
#include "src/image/resample.h"

#include "src/base/vector.h"

#include <math.h>

/* The inputs whose centres lie below the triangle, at least one. Weights are divided by their sum:
 * at the image's ends a part of the triangle is cut off, and a constant image must stay constant.
 * Bounds and weights are those of Pillow's precompute_coeffs. A triangle that catches no centre, or
 * none with a weight, leaves the nearest pixel alone. */
taps taps_at(double centre, double support, int size, float *weight) {
    double sum = 0;
    int first = (int)fmax(0, floor(centre - support + 0.5));
    int last = (int)fmin(size, floor(centre + support + 0.5));
    if (first > size - 1) first = size - 1;
    if (last <= first) last = first + 1;
    for (int k = 0; k < last - first; k++) {
        double w = 1 - fabs((first + k - centre + 0.5) / support);
        weight[k] = (float)(w > 0 ? w : 0);
        sum += weight[k];
    }
    if (sum <= 0) weight[0] = 1, sum = 1;
    for (int k = 0; k < last - first; k++) weight[k] = (float)(weight[k] / sum);
    return (taps){first, last - first, weight};
}

size_t taps_longest(double support) {
    return 2 * (size_t)ceil(support) + 2;
}

VECTOR_CLONES static void rows_scale(const uint8_t *in, float w, size_t n, float *restrict out) {
    for (size_t x = 0; x < n; x++) out[x] = w * in[x];
}

VECTOR_CLONES static void rows_add(const uint8_t *in, float w, size_t n, float *restrict out) {
    for (size_t x = 0; x < n; x++) out[x] += w * in[x];
}

/* Two rows, without a reduction, are the common case: one pass over memory, not two. */
VECTOR_CLONES static void rows_mix(
    const uint8_t *a, const uint8_t *b, const float *w, size_t n, float *restrict out) {
    float wa = w[0], wb = w[1];
    for (size_t x = 0; x < n; x++) out[x] = wa * a[x] + wb * b[x];
}

void resample_rows(
    const taps *t, const uint8_t *in, size_t stride, size_t offset, size_t n, float *out) {
    const uint8_t *row = in + (size_t)t->first * stride + offset;
    if (t->count == 2) {
        rows_mix(row, row + stride, t->weight, n, out);
        return;
    }
    rows_scale(row, t->weight[0], n, out);
    for (int k = 1; k < t->count; k++) rows_add(row + (size_t)k * stride, t->weight[k], n, out);
}

/* Three channels and one float more, read as a vector: a pixel takes one load and one
 * multiplication. The fourth number is never used, and may be anything but beyond the memory. */
typedef float pixel __attribute__((vector_size(16)));
typedef float anywhere __attribute__((vector_size(16), aligned(4), may_alias));

VECTOR_CLONES void resample_line(
    const taps *t, size_t n, const float *in, float *const channel[3]) {
    float *restrict r = channel[0], *restrict g = channel[1], *restrict b = channel[2];
    for (size_t j = 0; j < n; j++) {
        const float *from = in + 3 * (size_t)t[j].first;
        pixel sum = t[j].weight[0] * *(const anywhere *)from;
        for (int k = 1; k < t[j].count; k++)
            sum += t[j].weight[k] * *(const anywhere *)(from + 3 * (size_t)k);
        r[j] = sum[0];
        g[j] = sum[1];
        b[j] = sum[2];
    }
}

/* Half rounds up, as in Pillow; the value is above 0, where cutting is rounding down. */
VECTOR_CLONES void resample_bytes(const float *in, size_t n, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        float v = in[i] < 0 ? 0 : in[i];
        v = v > 255 ? 255 : v;
        out[i] = (uint8_t)(int)(v + 0.5f);
    }
}
