/* Thirty-two neighbouring elements of activations as two vectors of fp32 lanes, with neither
 * packing nor unpacking: of bf16, the even elements and the odd ones, as they lie in words of two.
 * For functions with VECTOR_CLONES. */
#ifndef AUXSEG_NN_KERNELS_LANES32_H
#define AUXSEG_NN_KERNELS_LANES32_H

#include "src/nn/kernels/lanes.h"

enum { LANES32 = 2 * LANES };
typedef struct lanes32 {
    lanes v[2];
} lanes32;

#define LANES32_LOOP _Pragma("GCC unroll 2") for (size_t h = 0; h < 2; h++)

/* Where element c of an array of `t` stands among the lanes, counted through all vectors. */
LANES_INLINE size_t lanes32_place(size_t c, dtype t) {
    size_t even = c / LANES32 * LANES32 + c % LANES32 / 2;
    return t == DTYPE_F32 ? c : even + c % 2 * LANES;
}

/* Vector by vector, for compilers keep in registers what is never copied as a whole.
 * Elements i .. i + count - 1; zeros follow where count < LANES32. */
LANES_INLINE lanes32 lanes32_load(const void *x, size_t i, size_t count, dtype t) {
    const char *from = (const char *)x + i * dtype_size(t);
    char some[sizeof(lanes32)];
    lanes32 w;
    if (count < LANES32) {
        memset(some, 0, sizeof some);
        memcpy(some, from, count * dtype_size(t));
        from = some;
    }
    if (t == DTYPE_F32) {
        LANES32_LOOP memcpy(&w.v[h], from + h * sizeof w.v[h], sizeof w.v[h]);
    } else {
        lanes_bits two;
        memcpy(&two, from, sizeof two);
        w.v[0] = (lanes)(two << 16);
        w.v[1] = (lanes)(two & 0xFFFF0000u);
    }
    return w;
}

LANES_INLINE void lanes32_store(void *x, size_t i, size_t count, lanes32 w, dtype t) {
    char *to = (char *)x + i * dtype_size(t), some[sizeof w], *at = count < LANES32 ? some : to;
    if (t == DTYPE_F32) {
        LANES32_LOOP memcpy(at + h * sizeof w.v[h], &w.v[h], sizeof w.v[h]);
    } else {
        lanes_bits two = lanes_round(w.v[0]) >> 16 | (lanes_round(w.v[1]) & 0xFFFF0000u);
        memcpy(at, &two, sizeof two);
    }
    if (count < LANES32) memcpy(to, some, count * dtype_size(t));
}

/* Constants or sums of the channels c .. c + 31, ordered by lanes32_place. */
LANES_INLINE lanes32 lanes32_get(const float *x, size_t c) {
    return lanes32_load(x, c, LANES32, DTYPE_F32);
}

LANES_INLINE void lanes32_set(float *x, size_t c, lanes32 w) {
    lanes32_store(x, c, LANES32, w, DTYPE_F32);
}

#endif
