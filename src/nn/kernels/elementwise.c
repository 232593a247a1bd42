/* Loops over elements that need no neighbours. They are plain C: the compiler makes vector code of
 * them for each storage type and instruction set.
 *
 * What is rounded to bf16 is rounded once, at the end of an expression in fp32. ReLU passes on what
 * is not a number (v < 0 is false of it), so that a network that diverges is found out where its
 * gradient or loss is checked.
 *
 * Conditions that hold for a whole call (add or write, with ReLU or without) are constants in the
 * inlined functions: each public one calls them once for every combination, so that no loop has a
 * branch in it. */
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/layers.h"

#include <string.h>

/* In fp32 networks storage is what the caller has: a copy. */
VECTOR_CLONES void layer_convert_in(const float *x, void *y, size_t n, dtype t) {
    if (t == DTYPE_F32)
        memcpy(y, x, n * sizeof *x);
    else
        for (size_t i = 0; i < n; i++) row_put(y, i, x[i], DTYPE_BF16);
}

VECTOR_CLONES void layer_convert_out(const void *x, float *y, size_t n, dtype t) {
    if (t == DTYPE_F32)
        memcpy(y, x, n * sizeof *y);
    else
        for (size_t i = 0; i < n; i++) y[i] = row_get(x, i, DTYPE_BF16);
}

ROW_INLINE void add_floats(const float *x, void *y, size_t n, dtype t) {
    ROW_LOOP
    for (size_t i = 0; i < n; i++) row_put(y, i, row_get(y, i, t) + x[i], t);
}

VECTOR_CLONES void layer_take_float(const float *x, void *y, size_t n, bool add, dtype t) {
    if (add)
        ROW_TYPED(t, add_floats, x, y, n);
    else
        layer_convert_in(x, y, n, t);
}

/* What units and sums of slots are made with: n is one thread's share, and element i has the same
 * additions in any share. */
void layer_accumulate(float *sum, const float *x, size_t n, bool add) {
    layer_take_float(x, sum, n, add, DTYPE_F32);
}

/* v < 0 rather than v > 0, which would make a zero of what is not a number. */
ROW_INLINE void relu(const void *x, void *y, size_t n, dtype t) {
    ROW_LOOP
    for (size_t i = 0; i < n; i++) {
        float v = row_get(x, i, t);
        row_put(y, i, v < 0 ? 0 : v, t);
    }
}

VECTOR_CLONES void layer_relu(const void *x, void *y, size_t n, dtype t) {
    ROW_TYPED(t, relu, x, y, n);
}

ROW_INLINE void add(const void *a, const void *b, void *y, size_t n, bool positive, dtype t) {
    ROW_LOOP
    for (size_t i = 0; i < n; i++) {
        float v = row_get(a, i, t) + row_get(b, i, t);
        row_put(y, i, positive && v < 0 ? 0 : v, t);
    }
}

VECTOR_CLONES void layer_add(const void *a, const void *b, void *y, size_t n, bool relu, dtype t) {
    if (relu)
        ROW_TYPED(t, add, a, b, y, n, true);
    else
        ROW_TYPED(t, add, a, b, y, n, false);
}

/* y is what a ReLU gave: where it is 0 the gradient is, too, as PyTorch has it at 0. dx may be dy,
 * each element is read first. */
ROW_INLINE void pass(
    const void *dy, const void *y, void *dx, size_t n, bool masked, bool more, dtype t) {
    ROW_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = row_get(dy, i, t);
        if (masked) g = row_get(y, i, t) > 0 ? g : 0;
        row_put(dx, i, more ? row_get(dx, i, t) + g : g, t);
    }
}

VECTOR_CLONES void layer_pass(
    const void *dy, const void *y, void *dx, size_t n, bool add, dtype t) {
    if (y && add)
        ROW_TYPED(t, pass, dy, y, dx, n, true, true);
    else if (y)
        ROW_TYPED(t, pass, dy, y, dx, n, true, false);
    else if (add)
        ROW_TYPED(t, pass, dy, NULL, dx, n, false, true);
    else
        memcpy(dx, dy, n * dtype_size(t));
}

/* Channels lie side by side in a pixel: one copy a pixel. */
void layer_put(const void *x, void *y, size_t pixels, int channels, int begin, int total, dtype t) {
    size_t c = (size_t)channels;
    for (size_t i = 0; i < pixels; i++)
        memcpy(row_at(y, i * (size_t)total + (size_t)begin, t), row_at(x, i * c, t),
            c * dtype_size(t));
}

/* channels: how many, the first of them, how many dy has. */
void layer_take(const void *dy, void *dx, size_t pixels, const int channels[3], bool add, dtype t) {
    size_t c = (size_t)channels[0], begin = (size_t)channels[1], total = (size_t)channels[2];
    for (size_t i = 0; i < pixels; i++)
        layer_pass(row_at(dy, i * total + begin, t), NULL, row_at(dx, i * c, t), c, add, t);
}

/* Element i has word i / RANDOM_LANES of every RANDOM_WORDS words. */
ROW_INLINE void drop(
    const void *x, void *y, size_t n, const float factor[RANDOM_WORDS], bool more, dtype t) {
    ROW_LOOP
    for (size_t i = 0; i < n; i++) {
        float v = row_get(x, i, t) * factor[i];
        row_put(y, i, more ? row_get(y, i, t) + v : v, t);
    }
}

/* Dropped are words below probability 2^32; what stays is scaled, so that the mean is the same and
 * inference needs no factor. Words are drawn in elements' order from the front: forward and
 * backward must begin at the same element, and a map is one thread's. */
VECTOR_CLONES void layer_dropout(
    const void *x, void *y, size_t n, double probability, random_stream r, bool add, dtype t) {
    uint32_t word[RANDOM_WORDS];
    float factor[RANDOM_WORDS];
    double share = probability * 0x1p32;
    /* A share of nearly 1 would round up to 2^32, which does not fit. */
    uint32_t threshold = (uint32_t)(share < 0x1p32 - 1 ? share : 0x1p32 - 1);
    float scale = (float)(1 / (1 - probability));
    for (size_t i = 0, m; i < n; i += m) {
        m = n - i < RANDOM_WORDS ? n - i : RANDOM_WORDS;
        random_words(&r, word);
        for (size_t j = 0; j < RANDOM_WORDS; j++) factor[j] = word[j] >= threshold ? scale : 0;
        const void *from = row_at(x, i, t);
        void *to = row_at(y, i, t);
        if (add)
            ROW_TYPED(t, drop, from, to, m, factor, true);
        else
            ROW_TYPED(t, drop, from, to, m, factor, false);
    }
}
