#include "src/nn/gradient.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    /* A unit's element in fixed point stays below 2^51, so that a double can round it (below). */
    ELEMENT_BITS = 51,
    SUM_BITS = 62,   /* and the sum of all units below 2^62 */
    GUARD_BITS = 10, /* a step may have 2^10 times larger elements than the one before, */
    LOSS_BITS = 14, /* or 2^14 times smaller ones: 51 - 10 - 14 > 24 bits are left to the largest */
    BLOCK = 4096,   /* elements that are checked, then converted, out of the first cache */
    SUMS_A_THREAD = 1 << 16,
};

/* The largest |x| of finite elements and whether one is not finite, both as bits of a float:
 * without the sign they are ordered like the numbers, infinity and NaN above all. */
enum { MAGNITUDE = 0x7FFFFFFF, INFINITE = 0x7F800000 };

gradient *gradient_create(const parameters *p) {
    gradient *g = memory_alloc(1, sizeof *g, "gradient");
    if (!g) return NULL;
    size_t n = (size_t)p->trainable;
    g->parameters = p;
    g->sum = memory_alloc(p->count, sizeof *g->sum, "gradient sums");
    g->value = memory_alloc(p->count, sizeof *g->value, "gradient");
    g->scale = memory_alloc(n, sizeof *g->scale, "gradient");
    g->exponent = memory_alloc(n, sizeof *g->exponent, "gradient");
    g->nonfinite = memory_alloc(n, sizeof *g->nonfinite, "gradient");
    g->square = memory_alloc(n, sizeof *g->square, "gradient");
    status st = parameter_blocks_create(&g->blocks, p);
    g->part = memory_alloc((size_t)g->blocks.count, sizeof *g->part, "gradient");
    if (!g->sum || !g->value || !g->scale || !g->exponent || !g->nonfinite || !g->square ||
        !g->part || st != STATUS_OK) {
        gradient_destroy(g);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) g->scale[i] = GRADIENT_UNKNOWN;
    return g;
}

void gradient_destroy(gradient *g) {
    if (!g) return;
    memory_free(g->sum);
    memory_free(g->value);
    memory_free(g->scale);
    memory_free(g->exponent);
    memory_free(g->nonfinite);
    memory_free(g->square);
    memory_free(g->part);
    parameter_blocks_destroy(&g->blocks);
    memory_free(g);
}

size_t gradient_bytes(const gradient *g) {
    return g->parameters->count * (sizeof *g->sum + sizeof *g->value);
}

void gradient_begin(gradient *g, int units) {
    assert(units > 0);
    g->units = units;
    size_t count = g->parameters->count;
#pragma omp parallel for
    for (size_t i = 0; i < count; i += SUMS_A_THREAD) {
        size_t n = count - i < SUMS_A_THREAD ? count - i : SUMS_A_THREAD;
        memset(g->sum + i, 0, n * sizeof *g->sum);
    }
    for (int i = 0; i < g->parameters->trainable; i++) {
        g->exponent[i] = INT32_MIN;
        g->nonfinite[i] = 0;
    }
}

/* Bits that an element of a unit may have, so that the sum of all units cannot overflow. */
static int element_bits(int units) {
    int log = 0;
    while (log < 31 && (1u << log) < (unsigned)units) log++;
    return SUM_BITS - log < ELEMENT_BITS ? SUM_BITS - log : ELEMENT_BITS;
}

VECTOR_CLONES
static uint32_t largest_magnitude(const float *x, size_t n) {
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, x + i, sizeof u);
        u &= MAGNITUDE;
        largest = u > largest ? u : largest;
    }
    return largest;
}

/* sum += x * 2^scale, rounded to nearest even. The product is exact in a double; adding 1.5 * 2^52
 * rounds it to an integer, which the low bits of the result hold. |x * 2^scale| < 2^51. */
VECTOR_CLONES
static void add_fixed(int64_t *sum, const float *x, size_t n, double factor) {
    const double shift = 0x1.8p52;
    int64_t zero;
    memcpy(&zero, &shift, sizeof zero);
    for (size_t i = 0; i < n; i++) {
        double shifted = (double)x[i] * factor + shift;
        int64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        sum[i] += bits - zero;
    }
}

/* Smallest e with |x| < 2^e, x given by its bits; INT32_MIN for zero. */
static int32_t exponent_of(uint32_t magnitude) {
    if (magnitude == 0) return INT32_MIN;
    float x;
    memcpy(&x, &magnitude, sizeof x);
    int e;
    frexpf(x, &e);
    return e;
}

/* Finite elements of a block that holds others: copied with zeros in their place. */
static void keep_finite(float *to, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = isfinite(x[i]) ? x[i] : 0.0f;
}

static void atomic_max(int32_t *to, int32_t v) {
    int32_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while (old < v &&
           !__atomic_compare_exchange_n(to, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void gradient_add(gradient *g, int item, const float *x, size_t begin, size_t end) {
    assert(item >= 0 && item < g->parameters->trainable && g->units > 0);
    assert(begin <= end && end <= g->parameters->item[item].count);
    int64_t *sum = g->sum + g->parameters->item[item].offset;
    int32_t scale = g->scale[item], most = INT32_MIN;
    int bits = element_bits(g->units);
    double factor = scale == GRADIENT_UNKNOWN ? 0.0 : ldexp(1.0, scale);
    for (size_t i = begin, n; i < end; i += n) {
        n = end - i < BLOCK ? end - i : BLOCK;
        const float *block = x + i;
        float finite[BLOCK];
        uint32_t largest = largest_magnitude(block, n);
        if (largest >= INFINITE) {
            atomic_max(&g->nonfinite[item], 1);
            keep_finite(finite, block, n);
            block = finite;
            largest = largest_magnitude(block, n);
        }
        int32_t e = exponent_of(largest);
        if (e > most) most = e;
        if (e != INT32_MIN && scale != GRADIENT_UNKNOWN && e + scale <= bits)
            add_fixed(sum + i, block, n, factor);
    }
    atomic_max(&g->exponent[item], most);
}

void gradient_ready(gradient *g, int item) {
    const parameter *p = &g->parameters->item[item];
    if (g->ready) g->ready(g->context, p->offset, p->count);
}

static int32_t predicted(const gradient *g, int item) {
    return element_bits(g->units) - GUARD_BITS - g->exponent[item];
}

/* First parameter with a non-finite element, or -1. */
static int find_nonfinite(const gradient *g) {
    for (int i = 0; i < g->parameters->trainable; i++)
        if (g->nonfinite[i]) return i;
    return -1;
}

bool gradient_rescale(gradient *g) {
    bool repeat = false;
    if (find_nonfinite(g) >= 0) return false;
    for (int i = 0; i < g->parameters->trainable; i++) {
        if (g->exponent[i] == INT32_MIN) continue; /* the sum is zero at any scale */
        int32_t ideal = predicted(g, i), scale = g->scale[i];
        if (scale != GRADIENT_UNKNOWN && scale <= ideal + GUARD_BITS && scale >= ideal - LOSS_BITS)
            continue;
        g->scale[i] = ideal;
        repeat = true;
    }
    return repeat;
}

VECTOR_CLONES
static void to_float(const int64_t *sum, float *value, size_t n, double factor) {
    for (size_t i = 0; i < n; i++) value[i] = (float)((double)sum[i] * factor);
}

status gradient_finish(gradient *g) {
    const parameters *p = g->parameters;
    int bad = find_nonfinite(g);
    if (bad >= 0) {
        log_error("%s: the gradient is not finite", p->item[bad].name);
        return STATUS_NONFINITE;
    }
#pragma omp parallel for schedule(static)
    for (int i = 0; i < g->blocks.count; i++) {
        const parameter_block *b = &g->blocks.at[i];
        int32_t scale = g->scale[b->item];
        float *value = g->value + b->offset;
        double factor = scale == GRADIENT_UNKNOWN ? 0.0 : ldexp(1.0, -scale);
        to_float(g->sum + b->offset, value, b->count, factor);
        g->part[i] = sum_of_squares(value, b->count);
    }
    parameter_blocks_sum(&g->blocks, g->part, g->square);
    for (int i = 0; i < p->trainable; i++)
        if (g->exponent[i] != INT32_MIN) g->scale[i] = predicted(g, i);
    return STATUS_OK;
}

double gradient_norm(const gradient *g) {
    double sum = 0;
    for (int i = 0; i < g->parameters->trainable; i++) sum += g->square[i];
    return sqrt(sum);
}
