/* Rows and elements of activations as floats, whatever they are stored as. Loops over elements are
 * plain loops that compilers turn into vector code, one for each storage type. */
#ifndef AUXSEG_BASE_ROWS_H
#define AUXSEG_BASE_ROWS_H

#include "src/base/bf16.h"
#include "src/base/dtype.h"

#include <string.h>

#define ROW_INLINE static inline __attribute__((always_inline))

/* A loop over a row may read and write the same row, each element for itself. */
#define ROW_LOOP _Pragma("GCC ivdep")

/* f(..., t) where the compiler knows t. */
#define ROW_TYPED(t, f, ...)                                                                       \
    ((t) == DTYPE_F32 ? f(__VA_ARGS__, DTYPE_F32) : f(__VA_ARGS__, DTYPE_BF16))

/* Element i of an array of `t`. */
static inline void *row_at(const void *x, size_t i, dtype t) {
    return (char *)(size_t)x + i * dtype_size(t);
}

ROW_INLINE float row_get(const void *x, size_t i, dtype t) {
    return t == DTYPE_F32 ? ((const float *)x)[i] : bf16_to_float(((const uint16_t *)x)[i]);
}

ROW_INLINE void row_put(void *x, size_t i, float v, dtype t) {
    if (t == DTYPE_F32)
        ((float *)x)[i] = v;
    else
        ((uint16_t *)x)[i] = bf16_from_float(v);
}

ROW_INLINE void row_load(float *to, const void *from, size_t n, dtype t) {
    if (t == DTYPE_F32) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    const uint16_t *b = from;
    for (size_t i = 0; i < n; i++) to[i] = bf16_to_float(b[i]);
}

ROW_INLINE void row_store(void *to, const float *from, size_t n, dtype t) {
    if (t == DTYPE_F32) {
        memcpy(to, from, n * sizeof *from);
        return;
    }
    uint16_t *b = to;
    for (size_t i = 0; i < n; i++) b[i] = bf16_from_float(from[i]);
}

/* The same without a copy of fp32: the row itself, or its floats in `room` [n]. */
ROW_INLINE const float *row_view(float *room, const void *from, size_t n, dtype t) {
    if (t == DTYPE_F32) return from;
    row_load(room, from, n, t);
    return room;
}

/* Where a row that is to be stored is computed: in its place, or in `room`; row_done stores it. */
ROW_INLINE float *row_room(float *room, void *to, dtype t) {
    return t == DTYPE_F32 ? (float *)to : room;
}

ROW_INLINE void row_done(void *to, const float *row, size_t n, dtype t) {
    if (t != DTYPE_F32) row_store(to, row, n, t);
}

#endif
