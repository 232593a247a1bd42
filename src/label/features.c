/* Rows of images as every stage after the network sees them: one struct, held in memory or mapped
 * from a file, float32 or bf16. How mapped rows give their memory back is in features_pages.c. */
#include "src/label/features.h"

#include "src/base/bf16.h"
#include "src/base/log.h"
#include "src/base/mapped.h"
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/vector.h"

#include <string.h>

/* Both or none, as the contract says. */
status features_create_shapes(features *x) {
    x->height = memory_alloc((size_t)x->images, sizeof *x->height, "shapes of features");
    x->width = memory_alloc((size_t)x->images, sizeof *x->width, "shapes of features");
    if (x->height && x->width) return STATUS_OK;
    memory_free(x->height);
    memory_free(x->width);
    x->height = x->width = NULL;
    return STATUS_FAILED;
}

/* Mapped data are the file's, and go with the mapping. */
void features_destroy(features *x) {
    memory_free(x->height);
    memory_free(x->width);
    if (x->mapping)
        mapped_destroy(x->mapping, x->mapping_bytes);
    else
        memory_free(x->data);
    *x = (features){0};
}

/* Without images: whoever looks at a part of an image's rows must not take it for a whole one. */
features features_part(const features *x, size_t first, size_t n) {
    return (features){.n = n,
        .d = x->d,
        .type = x->type,
        .data = row_at(x->data, first * (size_t)x->d, x->type),
        .mapped = x->mapped};
}

const float *features_row(const features *x, size_t i, float *scratch) {
    const void *row = row_at(x->data, i * (size_t)x->d, x->type);
    if (x->type == DTYPE_F32) return row;
    row_load(scratch, row, (size_t)x->d, x->type);
    return scratch;
}

void features_copy_row(const features *x, size_t i, float *to) {
    const float *row = features_row(x, i, to);
    if (row != to) memcpy(to, row, (size_t)x->d * sizeof *to);
}

/* Largest |element| as bits, which order like the values; infinities and NaN are above all. */
VECTOR_CLONES
static uint32_t largest_bits(const void *row, int d, dtype type) {
    uint32_t most = 0;
    if (type == DTYPE_F32) {
        const uint32_t *b = row;
        for (int j = 0; j < d; j++) {
            uint32_t a = b[j] & 0x7FFFFFFFu;
            most = a > most ? a : most;
        }
        return most;
    }
    const uint16_t *b = row;
    for (int j = 0; j < d; j++) {
        uint32_t a = b[j] & 0x7FFFu;
        most = a > most ? a : most;
    }
    return most << 16;
}

/* In a fixed order. */
VECTOR_CLONES
static double square_of(const void *row, int d, dtype type) {
    enum { LANES = 8 };
    double s[LANES] = {0};
    int whole = d / LANES * LANES;
    if (type == DTYPE_F32) {
        const float *x = row;
        for (int j = 0; j < whole; j += LANES)
            for (int l = 0; l < LANES; l++) s[l] += (double)x[j + l] * (double)x[j + l];
        for (int j = whole; j < d; j++) s[j - whole] += (double)x[j] * (double)x[j];
    } else {
        const uint16_t *x = row;
        for (int j = 0; j < d; j++) {
            double v = (double)bf16_to_float(x[j]);
            s[j % LANES] += v * v;
        }
    }
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Bits are compared, not floats: a comparison with NaN is false and would let it pass. */
static double look(const features *x, int threads, double *square, int64_t *bad) {
    const uint32_t limit = (127u + FEATURES_LARGE) << 23; /* 2^50's bits */
    int64_t n = (int64_t)x->n, first = INT64_MAX;
    uint32_t most = 0;
#pragma omp parallel for num_threads(threads) reduction(max : most) reduction(min : first)
    for (int64_t i = 0; i < n; i++) {
        const void *row = row_at(x->data, (size_t)i * (size_t)x->d, x->type);
        uint32_t b = largest_bits(row, x->d, x->type);
        if (square) square[i] = square_of(row, x->d, x->type);
        if (b > limit) first = i < first ? i : first;
        most = b > most ? b : most;
        features_passed(x, (size_t)i, 1);
    }
    features_release(x, 0, x->n);
    *bad = first == INT64_MAX ? -1 : first;
    float largest;
    memcpy(&largest, &most, sizeof largest);
    return (double)largest;
}

double features_largest(const features *x, int threads, int64_t *bad) {
    return look(x, threads, NULL, bad);
}

/* Images are counted off only when a row is bad: the loop over good rows need not know them. */
status features_check(const features *x, int threads, double *largest, double *square) {
    int64_t bad, i = 0;
    *largest = look(x, threads, square, &bad);
    if (bad < 0) return STATUS_OK;
    for (; i + 1 < x->images && bad >= (int64_t)features_image_rows(x, i); i++)
        bad -= (int64_t)features_image_rows(x, i);
    log_error("image %lld, pixel %lld: a feature is not finite, or beyond 2^%d",
        (long long)(x->first + i), (long long)bad, FEATURES_LARGE);
    return STATUS_NONFINITE;
}
