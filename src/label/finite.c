#include "src/label/finite.h"

#include "src/base/log.h"

status finite_check(
    const features *x, const int64_t *image, int64_t images, int64_t first, int threads) {
    int64_t row, i = 0;
    features_largest(x, threads, &row);
    if (row < 0) return STATUS_OK;
    for (; i + 1 < images && row >= image[i]; i++) row -= image[i];
    log_error("image %lld, pixel %lld: a feature is not finite, or beyond 2^%d",
        (long long)(first + i), (long long)row, FEATURES_LARGE);
    return STATUS_NONFINITE;
}
