/* Thirty-two neighbouring elements of activations as two vectors of fp32 lanes, with neither
 * packing nor unpacking: of bf16, the even elements and the odd ones, as they lie in words of two.
 * For functions with VECTOR_CLONES. */
#ifndef AUXSEG_NN_KERNELS_WIDE_H
#define AUXSEG_NN_KERNELS_WIDE_H

#include "src/nn/kernels/lanes.h"

enum { WIDE = 2 * LANES };
typedef struct wide {
    lanes v[2];
} wide;

#define WIDE_LOOP _Pragma("GCC unroll 2") for (size_t h = 0; h < 2; h++)

/* Where element c of an array of `t` stands among the lanes, counted through all vectors. */
LANES_INLINE size_t wide_place(size_t c, dtype t) {
    size_t even = c / WIDE * WIDE + c % WIDE / 2;
    return t == DTYPE_F32 ? c : even + c % 2 * LANES;
}

/* Vector by vector, for compilers keep in registers what is never copied as a whole.
 * Elements i .. i + count - 1; zeros follow where count < WIDE. */
LANES_INLINE wide wide_load(const void *x, size_t i, size_t count, dtype t) {
    const char *from = (const char *)x + i * dtype_size(t);
    char some[sizeof(wide)];
    wide w;
    if (count < WIDE) {
        memset(some, 0, sizeof some);
        memcpy(some, from, count * dtype_size(t));
        from = some;
    }
    if (t == DTYPE_F32) {
        WIDE_LOOP memcpy(&w.v[h], from + h * sizeof w.v[h], sizeof w.v[h]);
    } else {
        lanes_bits two;
        memcpy(&two, from, sizeof two);
        w.v[0] = (lanes)(two << 16);
        w.v[1] = (lanes)(two & 0xFFFF0000u);
    }
    return w;
}

LANES_INLINE void wide_store(void *x, size_t i, size_t count, wide w, dtype t) {
    char *to = (char *)x + i * dtype_size(t), some[sizeof w], *at = count < WIDE ? some : to;
    if (t == DTYPE_F32) {
        WIDE_LOOP memcpy(at + h * sizeof w.v[h], &w.v[h], sizeof w.v[h]);
    } else {
        lanes_bits two = lanes_round(w.v[0]) >> 16 | (lanes_round(w.v[1]) & 0xFFFF0000u);
        memcpy(at, &two, sizeof two);
    }
    if (count < WIDE) memcpy(to, some, count * dtype_size(t));
}

/* Constants or sums of the channels c .. c + 31, ordered by wide_place. */
LANES_INLINE wide wide_get(const float *x, size_t c) {
    return wide_load(x, c, WIDE, DTYPE_F32);
}

LANES_INLINE void wide_set(float *x, size_t c, wide w) {
    wide_store(x, c, WIDE, w, DTYPE_F32);
}

#endif
