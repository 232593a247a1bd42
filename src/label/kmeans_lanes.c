/* Reductions over the sixteen lanes of a panel, plain and written out for AVX-512 and, where it
 * pays, AVX2: no compiler reduces a minimum of floats, or makes a list of what passes a limit, with
 * vectors. Minima and comparisons round nothing, so that all ways give the same. */
#include "src/label/kmeans_lanes.h"

#include "src/base/vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { LANES = 16 };

/* Halves, again and again, as vector code does it. */
VECTOR_CLONES
static void least_plain(const float *p, int count, float *least) {
    for (int g = 0; g < count; g++, p += LANES) {
        float m[LANES / 2];
        for (int l = 0; l < LANES / 2; l++)
            m[l] = p[l] < p[l + LANES / 2] ? p[l] : p[l + LANES / 2];
        for (int half = LANES / 4; half > 0; half /= 2)
            for (int l = 0; l < half; l++) m[l] = m[l] < m[l + half] ? m[l] : m[l + half];
        least[g] = m[0];
    }
}

static int below_plain(const float *p, int count, float limit, int *kept) {
    int found = 0;
    for (int i = 0; i < count * LANES; i++)
        if (p[i] <= limit) kept[found++] = i;
    return found;
}

static uint64_t failing_plain(
    const uint16_t *lower, float unit, const float *drift, float upper, int count) {
    uint64_t mask = 0;
    for (int g = 0; g < count; g++)
        mask |= (uint64_t)((float)lower[g] * unit <= upper + drift[g]) << g;
    return mask;
}

#if defined(__x86_64__)
/* Two groups of lanes, and one branch for them: most have none. */
__attribute__((target("avx2"))) static int below_avx2(
    const float *p, int count, float limit, int *kept) {
    enum { HALF = LANES / 2, VECTORS = 4 };
    const __m256 most = _mm256_set1_ps(limit);
    int found = 0;
    for (int g = 0; g < count; g += 2) {
        int vectors = count - g < 2 ? VECTORS / 2 : VECTORS;
        __m256 below[VECTORS], any = _mm256_setzero_ps();
        for (int v = 0; v < vectors; v++) {
            __m256 x = _mm256_loadu_ps(p + g * LANES + v * HALF);
            below[v] = _mm256_cmp_ps(x, most, _CMP_LE_OQ);
            any = _mm256_or_ps(any, below[v]);
        }
        if (_mm256_movemask_ps(any) == 0) continue;
        for (int v = 0; v < vectors; v++) {
            unsigned mask = (unsigned)_mm256_movemask_ps(below[v]);
            for (; mask; mask &= mask - 1)
                kept[found++] = g * LANES + v * HALF + __builtin_ctz(mask);
        }
    }
    return found;
}

__attribute__((target("avx512f"))) static void least_avx512(
    const float *p, int count, float *least) {
    for (int g = 0; g < count; g++) least[g] = _mm512_reduce_min_ps(_mm512_loadu_ps(p + g * LANES));
}

__attribute__((target("avx512f"))) static int below_avx512(
    const float *p, int count, float limit, int *kept) {
    enum { TOGETHER = 4 }; /* most have none: one branch for several */
    __m512 most = _mm512_set1_ps(limit);
    int found = 0;
    for (int g = 0; g < count; g += TOGETHER) {
        int here = count - g < TOGETHER ? count - g : TOGETHER;
        __m512 least = _mm512_loadu_ps(p + g * LANES);
        for (int h = 1; h < here; h++)
            least = _mm512_min_ps(least, _mm512_loadu_ps(p + (g + h) * LANES));
        if (_mm512_cmp_ps_mask(least, most, _CMP_LE_OQ) == 0) continue;
        for (int h = g; h < g + here; h++) {
            __m512 v = _mm512_loadu_ps(p + h * LANES);
            unsigned mask = _mm512_cmp_ps_mask(v, most, _CMP_LE_OQ);
            for (; mask; mask &= mask - 1) kept[found++] = h * LANES + __builtin_ctz(mask);
        }
    }
    return found;
}

__attribute__((target("avx512f"))) static uint64_t failing_avx512(
    const uint16_t *lower, float unit, const float *drift, float upper, int count) {
    __m512 u = _mm512_set1_ps(unit), up = _mm512_set1_ps(upper);
    uint64_t mask = 0;
    for (int g = 0; g < count; g += LANES) {
        __m512i whole = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(lower + g)));
        __m512 length = _mm512_mul_ps(_mm512_cvtepi32_ps(whole), u);
        __m512 reach = _mm512_add_ps(up, _mm512_loadu_ps(drift + g));
        mask |= (uint64_t)_mm512_cmp_ps_mask(length, reach, _CMP_LE_OQ) << g;
    }
    return mask;
}
#endif

/* In two halves of 64 groups, a bit each; the second is empty for fewer. */
int lanes_failing(const uint16_t *lower, float unit, const float *drift, float upper, int count,
    uint64_t mask[2]) {
    for (int h = 0; h < 2; h++, lower += 64, drift += 64, count -= 64) {
        int here = count < 0 ? 0 : count < 64 ? count : 64;
        mask[h] = 0;
        if (here == 0) continue;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f")) {
            mask[h] = failing_avx512(lower, unit, drift, upper, here);
            continue;
        }
#endif
        mask[h] = failing_plain(lower, unit, drift, upper, here);
    }
    return (mask[0] | mask[1]) != 0;
}

/* AVX-512 has an instruction for it. */
void lanes_least(const float *p, int count, float *least) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        least_avx512(p, count, least);
        return;
    }
#endif
    least_plain(p, count, least);
}

int lanes_below(const float *p, int count, float limit, int *kept) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return below_avx512(p, count, limit, kept);
    if (__builtin_cpu_supports("avx2")) return below_avx2(p, count, limit, kept);
#endif
    return below_plain(p, count, limit, kept);
}

/* Vectors that need not be aligned: slices of rows begin anywhere. */
VECTOR_CLONES
void lanes_copy(uint32_t *to, const uint32_t *from, size_t count) {
    typedef uint32_t loose __attribute__((vector_size(64), aligned(4), may_alias));
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) *(loose *)(to + i) = *(const loose *)(from + i);
    for (; i < count; i++) to[i] = from[i];
}
