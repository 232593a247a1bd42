/* From units' floats to integers and back. The difficult part is the scale: it must be known before
 * the first unit is added, and whether it was right is known after the last one.
 *
 * element_bits(units) bits are there for an element, so that the sum of all units fits. The scale
 * aims GUARD_BITS below that: a step may have elements that are 2^10 times larger than those of the
 * step before, and nothing is lost. With 51 bits, 10 of them for growth, elements may also become
 * 2^14 times smaller before the largest has fewer than the 24 bits of an fp32 number left.
 *
 * Several threads add to one parameter, each to elements of its own; what they share, exponent and
 * nonfinite, are maxima. */
#include "src/nn/graph/exact_gradient.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* How the 63 bits of a sum are spent. */
enum {
    /* A unit's element in fixed point stays below 2^51, so that a double can round it (below). */
    ELEMENT_BITS = 51,
    SUM_BITS = 62,   /* and the sum of all units below 2^62 */
    GUARD_BITS = 10, /* a step may have 2^10 times larger elements than the one before, */
    LOSS_BITS = 14, /* or 2^14 times smaller ones: 51 - 10 - 14 > 24 bits are left to the largest */
    BLOCK = 4096,   /* elements that are checked, then converted, out of the first cache */
};

/* Bytes of the largest chunk: it is a message; MPI 3.1 counts are int, and no transfer reaches
 * 2 GiB. */
static const size_t largest_chunk = (size_t)1 << 30;

/* The largest |x| of finite elements and whether one is not finite, both as bits of a float:
 * without the sign they are ordered like the numbers, infinity and NaN above all. */
enum { MAGNITUDE = 0x7FFFFFFF, INFINITE = 0x7F800000 };

/* The chunk of an item's first element; its others are in this one and those before. */
static void find_chunks(gradient *g) {
    const parameters *p = g->parameters;
    for (int i = p->trainable - 1, k = 0; i >= 0; i--) {
        while (k + 1 < g->chunks.count && p->item[i].offset < g->chunks.at[k].offset) k++;
        g->chunk[i] = k;
    }
}

/* A chunk is a message of an exchange, which must stay below what MPI 3.1 can count. */
gradient *gradient_create(const parameters *p, size_t bytes) {
    gradient *g = memory_alloc(1, sizeof *g, "gradient");
    if (!g) return NULL;
    size_t n = (size_t)p->trainable;
    g->parameters = p;
    g->chunk = memory_alloc(n, sizeof *g->chunk, "gradient");
    g->value = memory_alloc(p->count, sizeof *g->value, "gradient");
    g->scale = memory_alloc(n, sizeof *g->scale, "gradient");
    g->exponent = memory_alloc(n, sizeof *g->exponent, "gradient");
    g->nonfinite = memory_alloc(n, sizeof *g->nonfinite, "gradient");
    g->square = memory_alloc(n, sizeof *g->square, "gradient");
    status st = parameter_blocks_create(&g->blocks, p);
    g->part = memory_alloc((size_t)g->blocks.count, sizeof *g->part, "gradient");
    if (st == STATUS_OK)
        st = gradient_chunks_create(
            &g->chunks, &g->blocks, bytes < largest_chunk ? bytes : largest_chunk);
    if (!g->chunk || !g->value || !g->scale || !g->exponent || !g->nonfinite || !g->square ||
        !g->part || st != STATUS_OK) {
        gradient_destroy(g);
        return NULL;
    }
    find_chunks(g);
    for (size_t i = 0; i < n; i++) g->scale[i] = GRADIENT_UNKNOWN;
    return g;
}

void gradient_destroy(gradient *g) {
    if (!g) return;
    gradient_chunks_destroy(&g->chunks);
    memory_free(g->chunk);
    memory_free(g->value);
    memory_free(g->scale);
    memory_free(g->exponent);
    memory_free(g->nonfinite);
    memory_free(g->square);
    memory_free(g->part);
    parameter_blocks_destroy(&g->blocks);
    memory_free(g);
}

/* Past the last element of an item. */
static size_t end_of(const gradient *g, int item) {
    return g->parameters->item[item].offset + g->parameters->item[item].count;
}

/* Before the first step nothing has been held: then as many pieces as the largest parameter needs
 * at once, which is the least that a step can do with. */
size_t gradient_bytes(const gradient *g) {
    const gradient_chunks *c = &g->chunks;
    int pieces = c->most;
    for (int i = 0; i < g->parameters->trainable; i++) {
        int n = 0;
        for (int k = g->chunk[i]; k >= 0 && c->at[k].offset < end_of(g, i); k--) n++;
        if (n > pieces) pieces = n;
    }
    return g->parameters->count * sizeof *g->value + (size_t)pieces * c->piece * sizeof *c->memory;
}

void gradient_begin(gradient *g, int units) {
    assert(units > 0);
    g->units = units;
    for (int k = 0; k < g->chunks.count; k++) {
        gradient_chunks_give(&g->chunks, k);
        g->chunks.at[k].done = g->chunks.at[k].complete = false;
    }
    for (int i = 0; i < g->parameters->trainable; i++) {
        g->exponent[i] = INT32_MIN;
        g->nonfinite[i] = 0;
    }
}

/* The hook comes before memory grows, and only then: a step that has found its number of pieces
 * never waits in it. */
void gradient_open_chunk(gradient *g, int k) {
    assert(!g->chunks.at[k].done);
    if (g->chunks.at[k].sum) return;
    if (g->growing && g->chunks.held == g->chunks.most) g->growing(g->context);
    gradient_chunks_take(&g->chunks, k);
}

void gradient_open(gradient *g, int item) {
    size_t end = end_of(g, item);
    for (int k = g->chunk[item]; k >= 0 && g->chunks.at[k].offset < end; k--)
        gradient_open_chunk(g, k);
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

/* Maxima come to the same in any order. */
static void atomic_max(int32_t *to, int32_t v) {
    int32_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while (old < v &&
           !__atomic_compare_exchange_n(to, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* Adds x [n] at elements at .. at + n - 1 of the flat block, over chunk borders. */
static void add_to_chunks(
    const gradient *g, int k, size_t at, const float *x, size_t n, double factor) {
    while (n > 0) {
        const gradient_chunk *c = &g->chunks.at[k];
        for (; at >= c->offset + c->count; k--) c = &g->chunks.at[k - 1];
        size_t left = c->offset + c->count - at, part = n < left ? n : left;
        assert(c->sum);
        add_fixed(c->sum + (at - c->offset), x, part, factor);
        at += part;
        x += part;
        n -= part;
    }
}

void gradient_add(gradient *g, int item, const float *x, size_t begin, size_t end) {
    assert(item >= 0 && item < g->parameters->trainable && g->units > 0);
    assert(begin <= end && end <= g->parameters->item[item].count);
    size_t offset = g->parameters->item[item].offset;
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
            add_to_chunks(g, g->chunk[item], offset + i, block, n, factor);
    }
    atomic_max(&g->exponent[item], most);
}

void gradient_ready(gradient *g, int item) {
    const parameter *p = &g->parameters->item[item];
    if (g->ready) g->ready(g->context, p->offset, p->count);
}

/* The scale at which the largest element of this step would leave the guard bits free. */
static int32_t predicted(const gradient *g, int item) {
    return element_bits(g->units) - GUARD_BITS - g->exponent[item];
}

/* First parameter with a non-finite element, or -1. */
static int find_nonfinite(const gradient *g) {
    for (int i = 0; i < g->parameters->trainable; i++)
        if (g->nonfinite[i]) return i;
    return -1;
}

/* Both bounds are exact statements on what was met, so that all ranks, which share `exponent`,
 * repeat a step or do not, together. */
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

float *gradient_values(const gradient *g, int k) {
    return g->value + g->chunks.at[k].offset;
}

/* Of a block, elements [*from, *to) of its chunk that lie in [begin, end); false: there are none.
 */
static bool meets(const gradient_chunk *c, const parameter_block *b, size_t begin, size_t end,
    size_t *from, size_t *to) {
    size_t first = b->offset - c->offset, last = first + b->count;
    *from = first > begin ? first : begin;
    *to = last < end ? last : end;
    return *from < *to;
}

/* The sums stand in doubles exactly as long as they are below 2^53; beyond, (double) rounds to the
 * nearest, and the float to it: a fixed function of an integer that is the same everywhere. Blocks
 * that are converted as a whole are squared while they are in the cache. */
void gradient_convert(gradient *g, int k, size_t begin, size_t end) {
    gradient_chunk *c = &g->chunks.at[k];
    float *value = gradient_values(g, k);
    assert(!c->done && end <= c->count);
#pragma omp parallel for schedule(static)
    for (int i = c->first; i < c->first + c->blocks; i++) {
        const parameter_block *b = &g->blocks.at[i];
        int32_t scale = g->scale[b->item];
        double factor = scale == GRADIENT_UNKNOWN ? 0.0 : ldexp(1.0, -scale);
        size_t from, to;
        if (!meets(c, b, begin, end, &from, &to)) continue;
        if (c->sum)
            to_float(c->sum + from, value + from, to - from, factor);
        else
            memset(value + from, 0, (to - from) * sizeof *value);
        if (to - from == b->count) g->part[i] = sum_of_squares(value + from, b->count);
    }
    gradient_chunks_give(&g->chunks, k);
    c->done = true;
    c->from = begin;
    c->to = end;
}

void gradient_complete(gradient *g, int k) {
    gradient_chunk *c = &g->chunks.at[k];
    assert(c->done && !c->complete);
#pragma omp parallel for schedule(static)
    for (int i = c->first; i < c->first + c->blocks; i++) {
        const parameter_block *b = &g->blocks.at[i];
        size_t from, to;
        bool squared = meets(c, b, c->from, c->to, &from, &to) && to - from == b->count;
        if (!squared) g->part[i] = sum_of_squares(g->value + b->offset, b->count);
    }
    c->complete = true;
}

/* Scales are predicted only after a good step: a step with a non-finite element leaves them alone.
 */
status gradient_finish(gradient *g) {
    const parameters *p = g->parameters;
    if (find_nonfinite(g) >= 0) return STATUS_NONFINITE;
    for (int k = 0; k < g->chunks.count; k++) {
        const gradient_chunk *c = &g->chunks.at[k];
        if (!c->done) gradient_convert(g, k, 0, c->count);
        if (!c->complete) gradient_complete(g, k);
    }
    parameter_blocks_sum(&g->blocks, g->part, g->square);
    for (int i = 0; i < p->trainable; i++)
        if (g->exponent[i] != INT32_MIN) g->scale[i] = predicted(g, i);
    return STATUS_OK;
}

const char *gradient_fault(const gradient *g) {
    int bad = find_nonfinite(g);
    return bad >= 0 ? g->parameters->item[bad].name : NULL;
}

double gradient_norm(const gradient *g) {
    double sum = 0;
    for (int i = 0; i < g->parameters->trainable; i++) sum += g->square[i];
    return sqrt(sum);
}
