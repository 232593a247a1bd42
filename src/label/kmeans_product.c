#include "src/label/kmeans_screen.h"

#include <stdbool.h>

/* The screen's bound holds with and without fused multiply-adds: labels do not depend on them. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

/* One instance an instruction set: `group` rows times two vectors of `width` floats fill its
 * registers. */
#define MULTIPLY(name, isa, width, group)                                                          \
    isa static void name(const float *rows, int depth, const float *panel, float *score,           \
        size_t columns, bool add) {                                                                \
        typedef float vector __attribute__((vector_size(4 * (width))));                            \
        typedef float loose __attribute__((vector_size(4 * (width)), aligned(4), may_alias));      \
        for (int r = 0; r < SCREEN_ROWS; r += (group)) {                                           \
            const float *x = rows + (size_t)r * SCREEN_STRIDE;                                     \
            for (int v = 0; v < SCREEN_PANEL; v += 2 * (width)) {                                  \
                vector s[group][2] = {{{0}}};                                                      \
                const float *c = panel + v;                                                        \
                for (int j = 0; j < depth; j++, c += SCREEN_PANEL) {                               \
                    vector c0 = *(const loose *)c, c1 = *(const loose *)(c + (width));             \
                    _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                   \
                        float e = x[i * SCREEN_STRIDE + j];                                        \
                        s[i][0] += c0 * e;                                                         \
                        s[i][1] += c1 * e;                                                         \
                    }                                                                              \
                }                                                                                  \
                float *to = score + (size_t)r * columns + v;                                       \
                _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++, to += columns) {        \
                    loose *t0 = (loose *)to, *t1 = (loose *)(to + (width));                        \
                    if (add) s[i][0] += *t0, s[i][1] += *t1;                                       \
                    *t0 = s[i][0];                                                                 \
                    *t1 = s[i][1];                                                                 \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#if defined(__x86_64__)
MULTIPLY(multiply_avx512, __attribute__((target("avx512f,fma"))), 16, 12)
MULTIPLY(multiply_avx2, __attribute__((target("avx2,fma"))), 8, 6)
#endif
MULTIPLY(multiply_plain, , 4, 6)

void screen_multiply(
    const float *rows, int depth, const float *panel, float *score, size_t columns, int add) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        multiply_avx512(rows, depth, panel, score, columns, add);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        multiply_avx2(rows, depth, panel, score, columns, add);
        return;
    }
#endif
    multiply_plain(rows, depth, panel, score, columns, add);
}
