/* Sums of outer products, an instance for each instruction set. Each step adds to every element
 * once, so that an element is summed in the order of the steps: on that, and on products of
 * float32 values being exact in float64, rests what outer.h promises. */
#include "src/label/outer.h"

/* See outer.h: in float64 the results are the same; float32 is for screens with a margin. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

/* One instance an instruction set: `rows` times two vectors of `width` elements fill its registers.
 */
#define OUTER(name, isa, type, width, rows, columns)                                               \
    isa static void name(                                                                          \
        size_t steps, const type *a, size_t lda, const type *b, size_t ldb, type *c, size_t ldc) { \
        typedef type loose __attribute__((                                                         \
            vector_size(sizeof(type) * (width)), aligned(sizeof(type)), may_alias));               \
        for (int r = 0; r < OUTER_ROWS; r += (rows)) {                                             \
            for (int v = 0; v < (columns); v += 2 * (width)) {                                     \
                loose s[rows][2];                                                                  \
                type *cr = c + (size_t)r * ldc + v;                                                \
                _Pragma("GCC unroll 8") for (int i = 0; i < (rows); i++) {                         \
                    s[i][0] = *(const loose *)(cr + (size_t)i * ldc);                              \
                    s[i][1] = *(const loose *)(cr + (size_t)i * ldc + (width));                    \
                }                                                                                  \
                const type *x = a + r, *y = b + v;                                                 \
                for (size_t j = 0; j < steps; j++, x += lda, y += ldb) {                           \
                    loose y0 = *(const loose *)y, y1 = *(const loose *)(y + (width));              \
                    _Pragma("GCC unroll 8") for (int i = 0; i < (rows); i++) {                     \
                        s[i][0] += y0 * x[i];                                                      \
                        s[i][1] += y1 * x[i];                                                      \
                    }                                                                              \
                }                                                                                  \
                _Pragma("GCC unroll 8") for (int i = 0; i < (rows); i++) {                         \
                    *(loose *)(cr + (size_t)i * ldc) = s[i][0];                                    \
                    *(loose *)(cr + (size_t)i * ldc + (width)) = s[i][1];                          \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

OUTER(f64_plain, , double, 2, 4, OUTER_F64)
OUTER(f32_plain, , float, 4, 4, OUTER_F32)
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,fma")))
OUTER(f64_avx2, AVX2, double, 4, 4, OUTER_F64)
OUTER(f32_avx2, AVX2, float, 8, 4, OUTER_F32)
OUTER(f64_avx512, AVX512, double, 8, 8, OUTER_F64)
OUTER(f32_avx512, AVX512, float, 16, 8, OUTER_F32)
#endif

/* By what the processor has; all three give the same bits. */
void outer_f64(
    size_t steps, const double *a, size_t lda, const double *b, size_t ldb, double *c, size_t ldc) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        f64_avx512(steps, a, lda, b, ldb, c, ldc);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        f64_avx2(steps, a, lda, b, ldb, c, ldc);
    else
#endif
        f64_plain(steps, a, lda, b, ldb, c, ldc);
}

/* By what the processor has; for screens, whose margin covers how they differ. */
void outer_f32(
    size_t steps, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        f32_avx512(steps, a, lda, b, ldb, c, ldc);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        f32_avx2(steps, a, lda, b, ldb, c, ldc);
    else
#endif
        f32_plain(steps, a, lda, b, ldb, c, ldc);
}
