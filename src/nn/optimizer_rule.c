#include "src/nn/optimizer_rule.h"

#include "src/base/vector.h"

#include <math.h>

VECTOR_CLONES
void momentum_rule_apply(const momentum_rule *r, float *restrict w, float *restrict m,
    const float *restrict g, size_t n) {
    float clip = r->clip, decay = r->decay, momentum = r->momentum;
    float inner = r->inner, outer = r->outer;
    for (size_t i = 0; i < n; i++) {
        float d = clip * g[i] + decay * w[i];
        m[i] = momentum * m[i] + inner * d;
        w[i] -= outer * m[i];
    }
}

VECTOR_CLONES
void adamw_rule_apply(const adamw_rule *r, float *restrict w, float *restrict mean,
    float *restrict square, const float *restrict g, size_t n) {
    adamw_rule c = *r;
    for (size_t i = 0; i < n; i++) {
        float d = c.clip * g[i];
        mean[i] += c.fresh_mean * (d - mean[i]);
        square[i] = c.beta2 * square[i] + c.fresh_square * d * d;
        float root = sqrtf(square[i]) * c.unbias + c.epsilon;
        w[i] = c.keep * w[i] - c.rate * mean[i] / root;
    }
}
