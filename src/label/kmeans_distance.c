/* Distances: the definition in float64, and one in float32, right within a stated error, which
 * decides most of what the screens leave. Lanes and tree of the definition are written out, so
 * that vector code of any width adds in the same order. The other may be added in any order: its
 * bound holds for all. */
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/label/kmeans.h"

#include <math.h>
#include <omp.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { LANES = 8, NEAR_LANES = 32 };

/* The definition of a label (kmeans.h). Eight lanes, in the order of j, then a tree: whoever
 * changes a line here changes labels. The rest of a row goes to the first lanes. */
VECTOR_CLONES
double kmeans_distance(const float *x, const float *c, int d) {
    double s[LANES] = {0};
    int whole = d / LANES * LANES;
    for (int j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) {
            double e = (double)x[j + l] - (double)c[j + l];
            s[l] += e * e;
        }
    for (int j = whole; j < d; j++) {
        double e = (double)x[j] - (double)c[j];
        s[j - whole] += e * e;
    }
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Each term passes through three roundings, its sum through D/32 + 6. */
float kmeans_near_error(int d) {
    return (float)(d / NEAR_LANES + 16) * 0x1p-24f;
}

/* Any processor's. The rest of a row goes to the first lanes: one order for all instances of the
 * compiler. */
VECTOR_CLONES
static float near_plain(const float *x, const float *c, int d) {
    float s[NEAR_LANES] = {0};
    int whole = d / NEAR_LANES * NEAR_LANES;
    for (int j = 0; j < whole; j += NEAR_LANES)
        for (int l = 0; l < NEAR_LANES; l++) {
            float e = x[j + l] - c[j + l];
            s[l] += e * e;
        }
    for (int j = whole; j < d; j++) {
        float e = x[j] - c[j];
        s[j - whole] += e * e;
    }
    for (int half = NEAR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) s[l] += s[l + half];
    return s[0];
}

#if defined(__x86_64__)
/* Compilers take the sum over the lanes to memory and back. */
__attribute__((target("avx512f"))) static float near_avx512(const float *x, const float *c, int d) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0;
    int j = 0;
    for (; j + NEAR_LANES <= d; j += NEAR_LANES) {
        __m512 e0 = _mm512_sub_ps(_mm512_loadu_ps(x + j), _mm512_loadu_ps(c + j));
        __m512 e1 = _mm512_sub_ps(_mm512_loadu_ps(x + j + 16), _mm512_loadu_ps(c + j + 16));
        s0 = _mm512_fmadd_ps(e0, e0, s0);
        s1 = _mm512_fmadd_ps(e1, e1, s1);
    }
    for (; j < d; j += 16) {
        __mmask16 rest = (__mmask16)(d - j < 16 ? (1u << (d - j)) - 1 : 0xFFFFu);
        __m512 e =
            _mm512_sub_ps(_mm512_maskz_loadu_ps(rest, x + j), _mm512_maskz_loadu_ps(rest, c + j));
        s0 = _mm512_fmadd_ps(e, e, s0);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
}
#endif

/* By what the processor has: instances may differ in the last bits, within the bound. */
float kmeans_near(const float *x, const float *c, int d) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return near_avx512(x, c, d);
#endif
    return near_plain(x, c, d);
}

/* By the definition, and rounded once to float32: a float holds enough to order rows by, in half
 * the memory. */
status kmeans_distances(
    const features *x, const float *c, const uint16_t *label, int threads, float *distance) {
    size_t d = (size_t)x->d;
    float *scratch = memory_alloc((size_t)threads * d, sizeof *scratch, "a row a thread");
    if (!scratch) return STATUS_FAILED;
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < x->n; i++) {
        const float *row = features_row(x, i, scratch + (size_t)omp_get_thread_num() * d);
        distance[i] = label[i] == LABEL_NONE
                          ? INFINITY
                          : (float)kmeans_distance(row, c + (size_t)label[i] * d, x->d);
        features_passed(x, i, 1);
    }
    features_release(x, 0, x->n);
    memory_free(scratch);
    return STATUS_OK;
}
