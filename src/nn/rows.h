/* Rows of activations as floats, whatever they are stored as: loops over channels work on short
 * fp32 pieces in the first-level cache. */
#ifndef AUXSEG_NN_ROWS_H
#define AUXSEG_NN_ROWS_H

#include "src/base/bf16.h"
#include "src/nn/dtype.h"

#include <string.h>

/* Element i of an array of `t`. */
static inline void *row_at(const void *x, size_t i, dtype t) {
    return (char *)(size_t)x + i * dtype_size(t);
}

static inline __attribute__((always_inline)) void row_load(
    float *to, const void *from, size_t n, dtype t) {
    if (t == DTYPE_F32) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    const uint16_t *b = from;
    for (size_t i = 0; i < n; i++) to[i] = bf16_to_float(b[i]);
}

static inline __attribute__((always_inline)) void row_store(
    void *to, const float *from, size_t n, dtype t) {
    if (t == DTYPE_F32) {
        memcpy(to, from, n * sizeof *from);
        return;
    }
    uint16_t *b = to;
    for (size_t i = 0; i < n; i++) b[i] = bf16_from_float(from[i]);
}

#endif
