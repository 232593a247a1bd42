/* The multiply-adds of k-means. They are macros, since the loop needs a vector's type, its width
 * and the instruction where it is compiled, and the sums have to stay in registers: 12 rows times
 * two vectors fill the 32 of AVX-512, 6 times two the 16 of AVX2. Their results only screen
 * (kmeans_screen.h): order and fusing of float sums are free. */
#include "src/label/kmeans_product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The screens' bounds hold with and without fused multiply-adds: labels do not depend on them. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

/* The loops, one instance an instruction set: `group` rows times two vectors, or all gathered rows
 * times the vectors of one panel. VECTOR holds `width` words; MULTIPLY(sum, word of a row, vector
 * of a panel) is one step. */
#define TILE(name, isa, VECTOR, SUM, width, group, BROADCAST, MULTIPLY)                            \
    isa static void name(const uint32_t *rows, size_t steps, const uint32_t *panels, size_t apart, \
        product_word *out, bool add, product_fetch fetch) {                                        \
        for (int r = 0; r < PRODUCT_GROUP; r += (group)) {                                         \
            const uint32_t *x = rows + (size_t)r * PRODUCT_STRIDE;                                 \
            for (int v = 0; v < PRODUCT_PANEL; v += (width)) {                                     \
                SUM s[group][2] = {{{0}}};                                                         \
                const uint32_t *c = panels + v;                                                    \
                for (size_t j = 0; j < steps; j++, c += PRODUCT_PANEL) {                           \
                    __builtin_prefetch(fetch.at + j * fetch.each, 0, 2);                           \
                    VECTOR c0 = *(const VECTOR *)c, c1 = *(const VECTOR *)(c + apart);             \
                    _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                   \
                        BROADCAST(e, x + (size_t)i * PRODUCT_STRIDE + j);                          \
                        s[i][0] = MULTIPLY(s[i][0], c0, e);                                        \
                        s[i][1] = MULTIPLY(s[i][1], c1, e);                                        \
                    }                                                                              \
                }                                                                                  \
                product_word *to = out + (size_t)r * PRODUCT_WIDTH + v;                            \
                _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                       \
                    SUM *t0 = (SUM *)(to + i * PRODUCT_WIDTH);                                     \
                    SUM *t1 = (SUM *)(to + i * PRODUCT_WIDTH + PRODUCT_PANEL);                     \
                    if (add) s[i][0] += *t0, s[i][1] += *t1;                                       \
                    *t0 = s[i][0];                                                                 \
                    *t1 = s[i][1];                                                                 \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#define GATHER(name, isa, VECTOR, SUM, width, BROADCAST, MULTIPLY)                                 \
    isa static void name(const void *const rows[PRODUCT_GATHER], size_t steps,                     \
        const uint32_t *panel, product_word *out) {                                                \
        const uint32_t *x[PRODUCT_GATHER];                                                         \
        _Pragma("GCC unroll 8") for (int i = 0; i < PRODUCT_GATHER; i++) x[i] = rows[i];           \
        for (int v = 0; v < PRODUCT_PANEL; v += (width)) {                                         \
            SUM s[PRODUCT_GATHER] = {{0}};                                                         \
            const uint32_t *c = panel + v;                                                         \
            for (size_t j = 0; j < steps; j++, c += PRODUCT_PANEL) {                               \
                VECTOR y = *(const VECTOR *)c;                                                     \
                _Pragma("GCC unroll 8") for (int i = 0; i < PRODUCT_GATHER; i++) {                 \
                    BROADCAST(e, x[i] + j);                                                        \
                    s[i] = MULTIPLY(s[i], y, e);                                                   \
                }                                                                                  \
            }                                                                                      \
            _Pragma("GCC unroll 8") for (int i = 0; i < PRODUCT_GATHER; i++) *                     \
                (SUM *)(out + i * PRODUCT_PANEL + v) = s[i];                                       \
        }                                                                                          \
    }

#define LOOSE __attribute__((aligned(4), may_alias))
typedef float loose4 __attribute__((vector_size(16))) LOOSE;
typedef float loose8 __attribute__((vector_size(32))) LOOSE;
typedef float loose16 __attribute__((vector_size(64))) LOOSE;

#define FLOAT_WORD(e, at) float e = *(const float LOOSE *)(at)
#define FLOAT_STEP(s, y, e) ((s) + (y) * (e))

TILE(tile_plain, , loose4, loose4, 4, 6, FLOAT_WORD, FLOAT_STEP)
GATHER(gather_plain, , loose4, loose4, 4, FLOAT_WORD, FLOAT_STEP)

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
TILE(tile_avx2, AVX2, loose8, loose8, 8, 6, FLOAT_WORD, FLOAT_STEP)
GATHER(gather_avx2, AVX2, loose8, loose8, 8, FLOAT_WORD, FLOAT_STEP)

#define AVX512 __attribute__((target("avx512f,fma")))
TILE(tile_avx512, AVX512, loose16, loose16, 16, 12, FLOAT_WORD, FLOAT_STEP)
GATHER(gather_avx512, AVX512, loose16, loose16, 16, FLOAT_WORD, FLOAT_STEP)

#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define BF16_WORD(e, at) __m512i e = _mm512_set1_epi32(*(const int LOOSE *)(at))
#define BF16_STEP(s, y, e)                                                                         \
    (loose16) _mm512_dpbf16_ps((__m512)(s), (__m512bh)(__m512i)(y), (__m512bh)(e))
TILE(tile_bf16, BF16, loose16, loose16, 16, 12, BF16_WORD, BF16_STEP)
GATHER(gather_bf16, BF16, loose16, loose16, 16, BF16_WORD, BF16_STEP)

#define INT8 __attribute__((target("avx512f,avx512vnni")))
typedef int loose16i __attribute__((vector_size(64))) LOOSE;
#define INT8_STEP(s, y, e) (loose16i) _mm512_dpbusd_epi32((__m512i)(s), (__m512i)(y), (e))
TILE(tile_int8, INT8, loose16i, loose16i, 16, 12, BF16_WORD, INT8_STEP)
GATHER(gather_int8, INT8, loose16i, loose16i, 16, BF16_WORD, INT8_STEP)
#endif

const char *product_name(product_type t) {
    static const char *const name[] = {"f32", "bf16", "int8"};
    return name[t];
}

int product_elements(product_type t) {
    return t == PRODUCT_INT8 ? 4 : t == PRODUCT_BF16 ? 2 : 1;
}

/* Asked of the processor at run time: one binary serves a cluster of several kinds of nodes. */
bool product_available(product_type t) {
#if defined(__x86_64__)
    if (t == PRODUCT_BF16) return __builtin_cpu_supports("avx512bf16");
    if (t == PRODUCT_INT8)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
#endif
    return t == PRODUCT_F32;
}

/* Branches by instruction set: a call takes thousands of cycles, a branch none that would show. */
void product_group(product_type t, const uint32_t *rows, size_t steps, const uint32_t *panels,
    size_t apart, product_word *out, bool add, product_fetch fetch) {
#if defined(__x86_64__)
    if (t == PRODUCT_INT8)
        tile_int8(rows, steps, panels, apart, out, add, fetch);
    else if (t == PRODUCT_BF16)
        tile_bf16(rows, steps, panels, apart, out, add, fetch);
    else if (__builtin_cpu_supports("avx512f"))
        tile_avx512(rows, steps, panels, apart, out, add, fetch);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tile_avx2(rows, steps, panels, apart, out, add, fetch);
    else
#endif
        tile_plain(rows, steps, panels, apart, out, add, fetch);
    (void)t;
}

/* Eight rows from anywhere with one panel: what the pruned pass is made of. */
void product_gather(product_type t, const void *const rows[PRODUCT_GATHER], size_t steps,
    const uint32_t *panel, product_word *out) {
#if defined(__x86_64__)
    if (t == PRODUCT_INT8)
        gather_int8(rows, steps, panel, out);
    else if (t == PRODUCT_BF16)
        gather_bf16(rows, steps, panel, out);
    else if (__builtin_cpu_supports("avx512f"))
        gather_avx512(rows, steps, panel, out);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        gather_avx2(rows, steps, panel, out);
    else
#endif
        gather_plain(rows, steps, panel, out);
    (void)t;
}
