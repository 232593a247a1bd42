/* Sixteen neighbouring elements of activations as fp32 lanes, whatever they are stored as. For
 * functions with VECTOR_CLONES: a vector is one register, two or four of them. */
#ifndef AUXSEG_NN_KERNELS_LANES_H
#define AUXSEG_NN_KERNELS_LANES_H

#include "src/base/dtype.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t lanes_int __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint32_t lanes_bits __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef uint16_t lanes_half __attribute__((vector_size(LANES * sizeof(uint16_t))));

#define LANES_INLINE static inline __attribute__((always_inline))

/* Elements i .. i + 15. */
LANES_INLINE lanes lanes_load(const void *x, size_t i, dtype t) {
    lanes v;
    if (t == DTYPE_F32) {
        memcpy(&v, (const float *)x + i, sizeof v);
    } else {
        lanes_half h;
        memcpy(&h, (const uint16_t *)x + i, sizeof h);
        v = (lanes)(__builtin_convertvector(h, lanes_bits) << 16);
    }
    return v;
}

/* All ones where a > b. Written as a loop: of a comparison of whole vectors GCC 12 makes one
 * element after the other where a vector takes two registers (AVX2), and of two that are joined
 * anywhere. */
LANES_INLINE lanes_int lanes_above(lanes a, lanes b) {
    lanes_int r;
    for (int i = 0; i < LANES; i++) r[i] = a[i] > b[i] ? -1 : 0;
    return r;
}

/* All ones where a is no number: its bits, without the sign, are above those of infinity. */
LANES_INLINE lanes_int lanes_no_number(lanes a) {
    const int32_t infinity = 0x7f800000;
    return (infinity - ((lanes_int)a & INT32_MAX)) >> 31;
}

/* Bits whose upper half is the nearest bf16, ties to even; what is not a number stays so. */
LANES_INLINE lanes_bits lanes_round(lanes v) {
    lanes_bits u = (lanes_bits)v, none = (lanes_bits)lanes_no_number(v);
    lanes_bits rounded = u + 0x7FFFu + ((u >> 16) & 1u);
    return (rounded & ~none) | ((u | 0x400000u) & none);
}

/* What is not a number stays so. */
LANES_INLINE lanes lanes_relu(lanes v) {
    return (lanes)((lanes_int)v & ~lanes_above((lanes){0}, v));
}

/* Of each two elements the larger one, b where one is not a number. */
LANES_INLINE lanes lanes_larger(lanes a, lanes b) {
    lanes r;
    for (int i = 0; i < LANES; i++) r[i] = a[i] > b[i] ? a[i] : b[i];
    return r;
}

/* The elements rotated by half of the vector, a quarter, an eighth, a sixteenth: after each has
 * been joined with the one before, every element is that of all. */
#define LANES_FOLD(v, join)                                                                        \
    v = join(                                                                                      \
        v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));   \
    v = join(                                                                                      \
        v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));   \
    v = join(                                                                                      \
        v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));   \
    v = join(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))

LANES_INLINE lanes lanes_add(lanes a, lanes b) {
    return a + b;
}

/* Eight rows of eight become eight columns. */
typedef float lanes_8 __attribute__((vector_size(8 * sizeof(float))));
#define LANES_LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define LANES_HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LANES_LOW_FOURS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define LANES_HIGH_FOURS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LANES_LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define LANES_HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
LANES_INLINE void lanes_transpose(lanes_8 r[8]) {
    lanes_8 pair[8], four[8];
    for (int i = 0; i < 8; i += 2) {
        pair[i] = LANES_LOW_PAIRS(r[i], r[i + 1]);
        pair[i + 1] = LANES_HIGH_PAIRS(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            four[i + 2 * j] = LANES_LOW_FOURS(pair[i + j], pair[i + 2 + j]);
            four[i + 2 * j + 1] = LANES_HIGH_FOURS(pair[i + j], pair[i + 2 + j]);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = LANES_LOW_HALVES(four[i], four[4 + i]);
        r[4 + i] = LANES_HIGH_HALVES(four[i], four[4 + i]);
    }
}

/* Sum, and largest element, by one tree for every instruction set. */
LANES_INLINE float lanes_sum(lanes v) {
    LANES_FOLD(v, lanes_add);
    return v[0];
}

LANES_INLINE float lanes_most(lanes v) {
    LANES_FOLD(v, lanes_larger);
    return v[0];
}

LANES_INLINE void lanes_store(void *x, size_t i, lanes v, dtype t) {
    if (t == DTYPE_F32) {
        memcpy((float *)x + i, &v, sizeof v);
    } else {
        lanes_half h = __builtin_convertvector(lanes_round(v) >> 16, lanes_half);
        memcpy((uint16_t *)x + i, &h, sizeof h);
    }
}

#endif
