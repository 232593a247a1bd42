/* Weights, images and labels that a test and tests/fixtures/make_network.py both compute. */
#ifndef AUXSEG_TESTS_MODEL_HASHED_H
#define AUXSEG_TESTS_MODEL_HASHED_H

#include "src/nn/graph/parameter.h"

#include <math.h>
#include <string.h>

static inline uint32_t hashed_mix(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

/* FNV-1a of the name, and the seed. */
static inline uint32_t hashed_key(const char *name, uint32_t seed) {
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return h + seed * 0x9E3779B9u;
}

static inline uint32_t hashed(uint32_t key, size_t i) {
    return hashed_mix(key ^ hashed_mix((uint32_t)i));
}

/* In [0, 1). */
static inline double hashed_uniform(uint32_t key, size_t i) {
    return (double)(hashed(key, i) >> 8) * 0x1p-24;
}

static inline bool hashed_ends(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Every parameter and statistic. */
static inline void hashed_parameters(parameters *p, uint32_t seed) {
    for (int k = 0; k < p->items; k++) {
        const parameter *item = &p->item[k];
        uint32_t key = hashed_key(item->name, seed);
        bool one = hashed_ends(item->name, ".running_var") || hashed_ends(item->name, ".weight");
        bool matrix = item->dims == 4;
        double inputs = matrix ? (double)(item->shape[1] * item->shape[2] * item->shape[3]) : 1.0;
        float *x = (item->trainable ? p->value : p->buffer) + item->offset;
        for (size_t i = 0; i < item->count; i++) {
            double u = hashed_uniform(key, i), v = 2.0 * u - 1.0;
            x[i] = (float)(matrix ? v * sqrt(3.0 / inputs) : one ? 0.75 + 0.5 * u : 0.2 * v);
        }
    }
}

/* sum [8]: x [n] with the signs of bits 0 .. 7 of its elements' hashes. */
static inline void hashed_project(const char *name, const float *x, size_t n, double *sum) {
    uint32_t key = hashed_key(name, 0);
    memset(sum, 0, 8 * sizeof *sum);
    for (size_t i = 0; i < n; i++) {
        uint32_t h = hashed(key, i);
        for (int k = 0; k < 8; k++) sum[k] += h >> k & 1 ? -(double)x[i] : (double)x[i];
    }
}

#endif
