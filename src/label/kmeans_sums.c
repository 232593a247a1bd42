#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/label/kmeans.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Elements become integers of at most so many bits, where adding 1.5 * 2^52 to a double leaves the
 * nearest integer in its lowest bits: a float's 24 bits are kept of every element down to 2^-26 of
 * the largest. */
enum { ELEMENT_BITS = 50 };

int kmeans_scale(int64_t rows, double largest) {
    int exponent = 0, bits = 0;
    frexp(largest, &exponent); /* largest < 2^exponent */
    while (((int64_t)1 << bits) < rows) bits++;
    int room = 62 - bits < ELEMENT_BITS ? 62 - bits : ELEMENT_BITS;
    return room - exponent;
}

static inline int64_t fixed(float x, double unit) {
    const double round = 0x1.8p52;
    double v = (double)x * unit + round;
    int64_t bits, zero;
    memcpy(&bits, &v, sizeof bits);
    memcpy(&zero, &round, sizeof zero);
    return bits - zero;
}

VECTOR_CLONES
static void add_row(const float *x, int d, double unit, int64_t *sum) {
    for (int j = 0; j < d; j++) sum[j] += fixed(x[j], unit);
}

void kmeans_move(const float *x, int d, int scale, int64_t *from, int64_t *to) {
    double unit = ldexp(1, scale);
    for (int j = 0; j < d; j++) {
        int64_t v = fixed(x[j], unit);
        from[j] -= v;
        to[j] += v;
    }
}

static void add_range(const features *x, const uint16_t *label, size_t begin, size_t end,
    double unit, float *scratch, int64_t *sum, int64_t *count) {
    for (size_t i = begin; i < end; i++) {
        if (label[i] == LABEL_NONE) continue;
        add_row(features_row(x, i, scratch), x->d, unit, sum + (size_t)label[i] * (size_t)x->d);
        count[label[i]]++;
    }
}

/* sum [words] += the other blocks. */
static void merge(int64_t *sum, const int64_t *block, size_t words, int blocks, int threads) {
#pragma omp parallel for num_threads(threads)
    for (size_t w = 0; w < words; w++)
        for (int b = 0; b < blocks; b++) sum[w] += block[(size_t)b * words + w];
}

status kmeans_sums(const features *x, const uint16_t *label, int k, int scale, int threads,
    int64_t *sum, int64_t *count) {
    /* A block of sums a thread pays only while there are many rows a centroid. */
    size_t d = (size_t)x->d, words = (size_t)k * d, share = x->n / (size_t)k + 1;
    int team = (size_t)threads < share ? threads : (int)share;
    size_t others = (size_t)team - 1;
    int64_t *block = memory_alloc(others * words, sizeof *block, "sums of threads");
    int64_t *counts = memory_alloc(others * (size_t)k, sizeof *counts, "counts of threads");
    float *scratch = memory_alloc((size_t)team * d, sizeof *scratch, "a row a thread");
    status st = block && counts && scratch ? STATUS_OK : STATUS_FAILED;
    if (st != STATUS_OK) goto done;
    double unit = ldexp(1, scale);
#pragma omp parallel for num_threads(team) schedule(static, 1)
    for (int t = 0; t < team; t++) {
        size_t begin = x->n * (size_t)t / (size_t)team, end = x->n * ((size_t)t + 1) / (size_t)team;
        size_t other = t > 0 ? (size_t)t - 1 : 0;
        add_range(x, label, begin, end, unit, scratch + (size_t)t * d,
            t > 0 ? block + other * words : sum, t > 0 ? counts + other * (size_t)k : count);
    }
    merge(sum, block, words, team - 1, team);
    merge(count, counts, (size_t)k, team - 1, 1);
done:
    memory_free(block);
    memory_free(counts);
    memory_free(scratch);
    return st;
}

static double length_i64(const int64_t *x, int d) {
    double s = 0;
    for (int j = 0; j < d; j++) s += (double)x[j] * (double)x[j];
    return sqrt(s);
}

void kmeans_centroids(
    const int64_t *sum, const int64_t *count, int k, int d, int scale, int cosine, float *c) {
    for (int a = 0; a < k; a++) {
        const int64_t *s = sum + (size_t)a * (size_t)d;
        float *row = c + (size_t)a * (size_t)d;
        double whole = cosine ? length_i64(s, d) : ldexp((double)count[a], scale);
        if (count[a] == 0 || whole <= 0) continue;
        for (int j = 0; j < d; j++) row[j] = (float)((double)s[j] / whole);
    }
}

void kmeans_normalize(float *c, int k, int d) {
    for (float *row = c; row < c + (size_t)k * (size_t)d; row += d) {
        double s = 0;
        for (int j = 0; j < d; j++) s += (double)row[j] * (double)row[j];
        s = sqrt(s);
        for (int j = 0; s > 0 && j < d; j++) row[j] = (float)((double)row[j] / s);
    }
}
