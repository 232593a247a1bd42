/* Layer norm, GELU and layer scale: sixteen channels at a time, whatever they are stored as.
 *
 * A token's mean is taken before its squared deviations, in two passes over a row that stays in the
 * first cache: one pass over squares would lose digits where a channel dwarfs the others, as it
 * does in trained transformers. Sums have sixteen partial sums and one tree, the same for every
 * instruction set's width. */
#include "src/nn/kernels/tokens.h"

#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes.h"

#include <math.h>

LANES_INLINE void norm_rows(const void *x, void *y, size_t tokens, size_t channels,
    const float *weight, const float *bias, dtype t) {
    float each = 1.0f / (float)channels;
    for (size_t r = 0; r < tokens; r++) {
        size_t at = r * channels;
        lanes sum = {0}, square = {0};
        for (size_t c = 0; c < channels; c += LANES) sum += lanes_load(x, at + c, t);
        float mean = lanes_sum(sum) * each;
        for (size_t c = 0; c < channels; c += LANES) {
            lanes d = lanes_load(x, at + c, t) - mean;
            square += d * d;
        }
        float scale = 1.0f / sqrtf(lanes_sum(square) * each + LAYER_NORM_EPSILON);
        for (size_t c = 0; c < channels; c += LANES) {
            lanes d = (lanes_load(x, at + c, t) - mean) * scale;
            lanes_store(y, at + c,
                d * lanes_load(weight, c, DTYPE_F32) + lanes_load(bias, c, DTYPE_F32), t);
        }
    }
}

VECTOR_CLONES void tokens_layer_norm(const void *x, void *y, size_t tokens, size_t channels,
    const float *weight, const float *bias, dtype t) {
    ROW_TYPED(t, norm_rows, x, y, tokens, channels, weight, bias);
}

/* erf(x) as x p(x^2) / q(x^2) for |x| <= 4, beyond which it is 1 in fp32. The coefficients are
 * those of Eigen's generic_fast_erf_float. */
LANES_INLINE lanes lanes_erf(lanes x) {
    static const float p[] = {-2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f,
        -5.69250639462346e-05f, -7.34990630326855e-04f, -2.95459980854025e-03f,
        -1.60960333262415e-02f};
    static const float q[] = {-1.45660718464996e-05f, -2.13374055278905e-04f,
        -1.68282697438203e-03f, -7.37332916720468e-03f, -1.42647390514189e-02f};
    const lanes most = (lanes){0} + 4.0f;
    x = lanes_larger(x, -most);
    x = -lanes_larger(-x, -most);
    lanes square = x * x, above = (lanes){0} + p[0], below = (lanes){0} + q[0];
    for (size_t i = 1; i < sizeof p / sizeof *p; i++) above = above * square + p[i];
    for (size_t i = 1; i < sizeof q / sizeof *q; i++) below = below * square + q[i];
    return x * above / below;
}

LANES_INLINE void gelu(const void *x, void *y, size_t n, dtype t) {
    for (size_t i = 0; i < n; i += LANES) {
        lanes v = lanes_load(x, i, t);
        lanes_store(y, i, 0.5f * v * (1.0f + lanes_erf(v * 0.70710678118654752f)), t);
    }
}

VECTOR_CLONES void tokens_gelu(const void *x, void *y, size_t n, dtype t) {
    ROW_TYPED(t, gelu, x, y, n);
}

LANES_INLINE void scale_rows(
    const void *x, void *y, size_t tokens, size_t channels, const float *scale, dtype t) {
    for (size_t r = 0; r < tokens; r++)
        for (size_t c = 0; c < channels; c += LANES)
            lanes_store(y, r * channels + c,
                lanes_load(x, r * channels + c, t) * lanes_load(scale, c, DTYPE_F32), t);
}

VECTOR_CLONES void tokens_scale(
    const void *x, void *y, size_t tokens, size_t channels, const float *scale, dtype t) {
    ROW_TYPED(t, scale_rows, x, y, tokens, channels, scale);
}

void tokens_take(
    const void *x, void *y, size_t tokens, size_t total, size_t channel, size_t channels, dtype t) {
    for (size_t r = 0; r < tokens; r++)
        memcpy(row_at(y, r * channels, t), row_at(x, r * total + channel, t),
            channels * dtype_size(t));
}
