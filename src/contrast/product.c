#include "src/contrast/product.h"

/* The order of every sum is written out, so a fused multiply-add cannot make it ambiguous: each
 * instruction set gives one result. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { PARTIAL = 32 };

/* One instance an instruction set: `rows` x two vectors of `width` floats fill its registers. */
#define PRODUCT(name, isa, width, rows)                                                            \
    isa static void name(                                                                          \
        const float *a, int k, const float *b, size_t ldb, float *c, size_t ldc, bool add) {       \
        typedef float vector __attribute__((vector_size(4 * (width))));                            \
        typedef float loose __attribute__((vector_size(4 * (width)), aligned(4), may_alias));      \
        for (int r = 0; r < TILE_ROWS; r += (rows)) {                                              \
            const float *ar = a + (size_t)r * TILE_STRIDE;                                         \
            for (int v = 0; v < PANEL; v += 2 * (width)) {                                         \
                vector s[rows][2] = {{{0}}};                                                       \
                const float *bj = b + v;                                                           \
                for (int j = 0; j < k; j++, bj += ldb) {                                           \
                    vector b0 = *(const loose *)bj, b1 = *(const loose *)(bj + (width));           \
                    _Pragma("GCC unroll 16") for (int i = 0; i < (rows); i++) {                    \
                        float x = ar[i * TILE_STRIDE + j];                                         \
                        s[i][0] += b0 * x;                                                         \
                        s[i][1] += b1 * x;                                                         \
                    }                                                                              \
                }                                                                                  \
                float *cr = c + (size_t)r * ldc + v;                                               \
                _Pragma("GCC unroll 16") for (int i = 0; i < (rows); i++, cr += ldc) {             \
                    loose *c0 = (loose *)cr, *c1 = (loose *)(cr + (width));                        \
                    if (add) s[i][0] += *c0, s[i][1] += *c1;                                       \
                    *c0 = s[i][0];                                                                 \
                    *c1 = s[i][1];                                                                 \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#if defined(__x86_64__)
PRODUCT(product_avx512, __attribute__((target("avx512f,fma"))), 16, 12)
PRODUCT(product_avx2, __attribute__((target("avx2,fma"))), 8, 6)
#endif
PRODUCT(product_plain, , 4, 6)

typedef void product_kernel(
    const float *a, int k, const float *b, size_t ldb, float *c, size_t ldc, bool add);

static product_kernel *choose(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return product_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return product_avx2;
#endif
    return product_plain;
}

void product_panel(
    const float *a, int k, const float *b, size_t ldb, float *c, size_t ldc, bool add) {
    product_kernel *kernel = choose();
    for (int j = 0; j < k; j += PARTIAL) {
        int part = k - j < PARTIAL ? k - j : PARTIAL;
        kernel(a + j, part, b + (size_t)j * ldb, ldb, c, ldc, add || j > 0);
    }
}
