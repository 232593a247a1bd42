/* Exponentials over the columns of a tile and their sums, in vectors, with a polynomial of the
 * program's own (src/base/exponential.h): a library's exp is a call an element, and its last bits
 * differ from one version to the next. */
#include "src/contrast/terms.h"

/* Whole vectors alone, so a fused multiply-add cannot be in one element and not in another: each
 * instruction set gives one result. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

#include "src/base/exponential.h"
#include "src/base/vector.h"

#include <math.h>

typedef float lanes __attribute__((vector_size(4 * TERM_LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * TERM_LANES)));

/* Sixteen float sums, then their total in float64, lane by lane. */
static inline __attribute__((always_inline)) double sum_of(const float *x, int n) {
    lanes sum = {0};
    for (int j = 0; j < n; j += TERM_LANES) sum += *(const lanes *)(x + j);
    double total = 0;
    for (int l = 0; l < TERM_LANES; l++) total += (double)sum[l];
    return total;
}

/* A maximum by masks: what compilers make of fmaxf is a call, or asks about NaN. */
VECTOR_CLONES float terms_largest(const float *dot, int n) {
    lanes most = *(const lanes *)dot;
    for (int j = TERM_LANES; j < n; j += TERM_LANES) {
        lanes x = *(const lanes *)(dot + j);
        mask larger = x > most;
        most = (lanes)((larger & (mask)x) | (~larger & (mask)most));
    }
    float largest = most[0];
    for (int l = 1; l < TERM_LANES; l++) largest = most[l] > largest ? most[l] : largest;
    return largest;
}

/* In place: an exponential is used once. */
VECTOR_CLONES double terms_negative(float *dot, int n, float peak, float scale) {
    for (int j = 0; j < n; j++) dot[j] = exponential((dot[j] - peak) * scale);
    return sum_of(dot, n);
}

/* x = log N - s; softplus(x) = log(1 + N / e^s) and share = N / (e^s + N), without overflow. */
VECTOR_CLONES positive_sums terms_positive(
    const float *dot, int n, float level, float remainder, float scale, float *work) {
    float *softplus = work, *share = work + n;
    for (int j = 0; j < n; j++) {
        float x = (level - dot[j]) * scale + remainder;
        float y = exponential(x > 0 ? -x : x);
        float plus = (x > 0 ? x : 0) + log_one_plus(y), part = (x > 0 ? 1 : y) / (1 + y);
        softplus[j] = dot[j] < INFINITY ? plus : 0;
        share[j] = dot[j] < INFINITY ? part : 0;
    }
    return (positive_sums){sum_of(softplus, n), sum_of(share, n)};
}

/* The anchor's own factor is one number, the factors of the columns are arrays: of a pair, one side
 * is the anchor's weight and the other that which the column has as an anchor. */
VECTOR_CLONES void terms_weights(
    float *dot, int n, term own, const float *factor, const float *at, float scale) {
    for (int j = 0; j < n; j++) {
        float as_anchor = own.factor * exponential((dot[j] - own.at) * scale);
        float as_pool = factor[j] * exponential((dot[j] - at[j]) * scale);
        dot[j] = as_anchor + as_pool;
    }
}

VECTOR_CLONES void terms_weights_common(
    float *dot, int n, term own, const float *factor, float scale) {
    for (int j = 0; j < n; j++)
        dot[j] = (own.factor + factor[j]) * exponential((dot[j] - own.at) * scale);
}

/* The exponential ends at e^88 and is never infinite: a positive that is much nearer than all
 * negatives is left with next to no weight. Columns that are no anchors have share 0. */
VECTOR_CLONES void terms_positive_weights(float *dot, int n, term own, float own_share,
    const float *factor, const float *at, const float *share, float scale) {
    for (int j = 0; j < n; j++) {
        float as_anchor = own_share / (1 + own.factor * exponential((dot[j] - own.at) * scale));
        float as_pool = share[j] / (1 + factor[j] * exponential((dot[j] - at[j]) * scale));
        dot[j] = -(as_anchor + as_pool);
    }
}

/* From float32 sums of a tile to float64 sums over tiles. */
VECTOR_CLONES void terms_accumulate(double *sum, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) sum[i] += (double)x[i];
}
