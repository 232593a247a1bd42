/* The two products of the loss, an instance for each instruction set. A sum is cut into parts of
 * 32 steps, which are added in order: chains of roundings are shorter than those of one long sum,
 * for one addition more in 32. What is beyond the pool is zeros and costs its time alone. */
#include "src/contrast/product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The order of every sum is written out, so a fused multiply-add cannot make it ambiguous: each
 * instruction set gives one result. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { PARTIAL = 32 };

#define LOOSE __attribute__((aligned(4), may_alias))
typedef float loose1 LOOSE;
typedef float loose4 __attribute__((vector_size(16))) LOOSE;
typedef float loose8 __attribute__((vector_size(32))) LOOSE;
typedef float loose16 __attribute__((vector_size(64))) LOOSE;

/* The matrix on the right, its row stride, and what is fetched into the cache meanwhile: as many
 * bytes as the PARTIAL rows of one panel. */
typedef struct source {
    const float *at;
    size_t stride;
    const char *next;
} source;

/* One instance an instruction set: `rows` x two vectors of `width` words fill its registers.
 * BROADCAST(word of a), MULTIPLY(sum, vector of b, broadcast) are one step. */
#define PRODUCT(name, isa, VECTOR, width, rows, BROADCAST, MULTIPLY)                               \
    isa static void name(const void *a, int k, source b, float *c, size_t ldc, bool add) {         \
        for (int r = 0; r < TILE_ROWS; r += (rows)) {                                              \
            const loose1 *ar = (const loose1 *)a + (size_t)r * TILE_STRIDE;                        \
            for (int v = 0; v < PANEL; v += 2 * (width)) {                                         \
                VECTOR s[rows][2] = {{{0}}};                                                       \
                const loose1 *bj = (const loose1 *)b.at + v;                                       \
                for (int j = 0; j < k; j++, bj += b.stride) {                                      \
                    __builtin_prefetch(b.next);                                                    \
                    b.next += 8 * (width) * (rows) / TILE_ROWS;                                    \
                    VECTOR b0 = *(const VECTOR *)bj, b1 = *(const VECTOR *)(bj + (width));         \
                    _Pragma("GCC unroll 16") for (int i = 0; i < (rows); i++) {                    \
                        BROADCAST(x, ar + i * TILE_STRIDE + j);                                    \
                        s[i][0] = MULTIPLY(s[i][0], b0, x);                                        \
                        s[i][1] = MULTIPLY(s[i][1], b1, x);                                        \
                    }                                                                              \
                }                                                                                  \
                float *cr = c + (size_t)r * ldc + v;                                               \
                _Pragma("GCC unroll 16") for (int i = 0; i < (rows); i++, cr += ldc) {             \
                    VECTOR *c0 = (VECTOR *)cr, *c1 = (VECTOR *)(cr + (width));                     \
                    if (add) s[i][0] += *c0, s[i][1] += *c1;                                       \
                    *c0 = s[i][0];                                                                 \
                    *c1 = s[i][1];                                                                 \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#define FLOAT_WORD(x, at) float x = *(at)
#define FLOAT_STEP(s, b, x) ((s) + (b) * (x))

#if defined(__x86_64__)
PRODUCT(
    product_avx512, __attribute__((target("avx512f,fma"))), loose16, 16, 12, FLOAT_WORD, FLOAT_STEP)
PRODUCT(product_avx2, __attribute__((target("avx2,fma"))), loose8, 8, 6, FLOAT_WORD, FLOAT_STEP)

#define PAIR_WORD(x, at) __m512i x = _mm512_castps_si512(_mm512_set1_ps(*(at)))
#define PAIR_STEP(s, b, x)                                                                         \
    (loose16) _mm512_dpbf16_ps((__m512)(s), (__m512bh)(__m512)(b), (__m512bh)(x))
PRODUCT(product_pairs, __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))), loose16, 16,
    12, PAIR_WORD, PAIR_STEP)
#endif
PRODUCT(product_plain, , loose4, 4, 6, FLOAT_WORD, FLOAT_STEP)

typedef void product_kernel(const void *a, int k, source b, float *c, size_t ldc, bool add);

/* Asked at run time: nodes of one cluster may differ. */
bool product_has_pairs(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

/* By kind, not by a trial: a clock must not choose between results that differ by a bit. */
bool product_prefers_pairs(void) {
#if defined(__x86_64__)
    return product_has_pairs() && !__builtin_cpu_is("intel");
#else
    return false;
#endif
}

/* The best that the processor has; pairs only where the caller was told that they are. */
static product_kernel *choose(bool pairs) {
#if defined(__x86_64__)
    if (pairs) return product_pairs;
    if (__builtin_cpu_supports("avx512f")) return product_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return product_avx2;
#endif
    (void)pairs;
    return product_plain;
}

/* The last part of a sum may be shorter. */
static int part_of(int k, int from) {
    return k - from < PARTIAL ? k - from : PARTIAL;
}

/* Sums of a tile with one panel, which stays in the cache for all pieces of a. Part after part:
 * what comes next in the panel is fetched meanwhile. Behind the last part lies the next panel, or
 * nothing: to fetch from an address that is not there is no error. */
void product_panel(
    const product_word *a, int steps, const product_word *b, float *c, size_t ldc, bool pairs) {
    product_kernel *kernel = choose(pairs);
    for (int j = 0; j < steps; j += PARTIAL) {
        const product_word *at = b + (size_t)j * PANEL;
        const product_word *from =
            a + (size_t)(j / TILE_COLUMNS) * TILE_ROWS * TILE_STRIDE + j % TILE_COLUMNS;
        source part = {
            (const float *)(const void *)at, PANEL, (const char *)(at + PARTIAL * PANEL)};
        kernel(from, part_of(steps, j), part, c, ldc, j > 0);
    }
}

/* Part by part: a's stays in the first-level cache for all panels. */
void product_rows(const float *a, int k, const float *b, size_t width, float *c) {
    product_kernel *kernel = choose(false);
    for (int j = 0; j < k; j += PARTIAL) {
        const float *at = b + (size_t)j * width, *next = at + PARTIAL * width;
        for (size_t d = 0; d < width; d += PANEL) {
            source part = {at + d, width, (const char *)(next + PARTIAL * d)};
            kernel(a + j, part_of(k, j), part, c + d, width, j > 0);
        }
    }
}
