/* The largest values without sorting or sending them. Floats that are not negative order like
 * their bits: a histogram of the highest bits, added over ranks, tells in which bin the threshold
 * lies, and the next pass looks at the bits below, of the values in that bin. 11 bits a pass take
 * three passes; with many groups, each of which has a histogram, 8 bits take four. */
#include "src/label/quantile.h"

#include "src/base/memory.h"

#include <math.h>
#include <string.h>

enum { BITS = 32, DIGIT = 11, DIGIT_OF_MANY = 8 };

/* IEEE numbers without a sign order like the integers of their bits. */
uint32_t quantile_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float quantile_value(uint32_t bits) {
    float value;
    if (bits == UINT32_MAX) return INFINITY;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A group of which none is wanted has a threshold above every value from the beginning. */
status quantile_create(quantile *q, int groups, const int64_t *want) {
    *q = (quantile){.groups = groups, .digit = groups == 1 ? DIGIT : DIGIT_OF_MANY};
    q->shift = BITS - q->digit;
    size_t g = (size_t)groups;
    q->threshold = memory_alloc(g, sizeof *q->threshold, "thresholds");
    q->left = memory_alloc(g, sizeof *q->left, "thresholds");
    q->histogram = memory_alloc(g << q->digit, sizeof *q->histogram, "histograms of distances");
    if (!q->threshold || !q->left || !q->histogram) {
        quantile_destroy(q);
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < g; i++) {
        q->left[i] = want[i];
        if (want[i] == 0) q->threshold[i] = UINT32_MAX;
    }
    return STATUS_OK;
}

void quantile_destroy(quantile *q) {
    memory_free(q->threshold);
    memory_free(q->left);
    memory_free(q->histogram);
    *q = (quantile){0};
}

/* Values whose higher bits are not the threshold's have been decided by earlier passes. */
void quantile_count(quantile *q, const float *value, const uint16_t *group, size_t n) {
    memset(q->histogram, 0, ((size_t)q->groups << q->digit) * sizeof *q->histogram);
    int above = q->shift + q->digit; /* bits of earlier passes start here */
    uint32_t mask = (1u << q->digit) - 1;
    for (size_t i = 0; i < n; i++) {
        size_t g = group ? group[i] : 0;
        if (g >= (size_t)q->groups) continue;
        uint32_t bits = quantile_bits(value[i]);
        if (above < BITS && bits >> above != q->threshold[g] >> above) continue;
        q->histogram[(g << q->digit) + ((bits >> q->shift) & mask)]++;
    }
}

/* From the highest bin down, until it holds as many as are left: the threshold is in that one, and
 * what was above it is taken. */
bool quantile_narrow(quantile *q) {
    for (size_t g = 0; g < (size_t)q->groups; g++) {
        const int64_t *h = q->histogram + (g << q->digit);
        uint32_t bin = (1u << q->digit) - 1;
        if (q->threshold[g] == UINT32_MAX) continue;
        while (bin > 0 && h[bin] < q->left[g]) q->left[g] -= h[bin--];
        q->threshold[g] |= bin << q->shift;
    }
    if (q->shift == 0) return false;
    int next = q->shift < q->digit ? q->shift : q->digit;
    q->shift -= next;
    q->digit = next;
    return true;
}
