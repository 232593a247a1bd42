/* The loops over elements. They wait for memory, not for arithmetic: what is tuned here is how far
 * ahead it is asked for.
 *
 * Division and square root are IEEE's, contraction is off: an element's result is the same bits
 * with every instruction set. */
#include "src/nn/graph/optimizer_rule.h"

#include "src/base/vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A step waits for memory. Each piece asks for the one that lies AHEAD elements on: measured on
 * one core, 40 M parameters, 8 % less time for SGD and 12 % for AdamW. */
enum { LINE = 16, PIECE = 64, AHEAD = 256 }; /* floats */

/* Whole pieces but for the last, which is not fetched for. */
static inline size_t piece_end(size_t i, size_t n) {
    return n - i < PIECE ? n : i + PIECE;
}

__attribute__((always_inline)) static inline void fetch(const float *x, size_t i, size_t n) {
    if (n - i < AHEAD + PIECE) return;
    for (size_t j = i + AHEAD; j < i + AHEAD + PIECE; j += LINE) __builtin_prefetch(x + j, 1, 2);
}

/* All ones in the exponent. */
__attribute__((always_inline)) static inline uint32_t nonfinite(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & 0x7F800000) == 0x7F800000;
}

VECTOR_CLONES
bool momentum_rule_apply(const momentum_rule *r, float *restrict w, float *restrict m,
    const float *restrict g, size_t n) {
    float clip = r->clip, decay = r->decay, momentum = r->momentum;
    float inner = r->inner, outer = r->outer;
    uint32_t found = 0;
    for (size_t i = 0; i < n;) {
        fetch(w, i, n);
        fetch(m, i, n);
        fetch(g, i, n);
        for (size_t end = piece_end(i, n); i < end; i++) {
            float d = clip * g[i] + decay * w[i];
            m[i] = momentum * m[i] + inner * d;
            w[i] -= outer * m[i];
            found |= nonfinite(m[i]) | nonfinite(w[i]);
        }
    }
    return !found;
}

VECTOR_CLONES
bool adamw_rule_apply(const adamw_rule *r, float *restrict w, float *restrict mean,
    float *restrict square, const float *restrict g, size_t n) {
    adamw_rule c = *r;
    uint32_t found = 0;
    for (size_t i = 0; i < n;) {
        fetch(w, i, n);
        fetch(mean, i, n);
        fetch(square, i, n);
        fetch(g, i, n);
        for (size_t end = piece_end(i, n); i < end; i++) {
            float d = c.clip * g[i];
            mean[i] += c.fresh_mean * (d - mean[i]);
            square[i] = c.beta2 * square[i] + c.fresh_square * d * d;
            float root = sqrtf(square[i]) * c.unbias + c.epsilon;
            w[i] = c.keep * w[i] - c.rate * mean[i] / root;
            found |= nonfinite(mean[i]) | nonfinite(square[i]) | nonfinite(w[i]);
        }
    }
    return !found;
}
