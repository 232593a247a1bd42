/* The products of Winograd's algorithm in fp32, and of taps below AVX-512. oneDNN's are as fast
 * where matrices stay in the caches, and it has AVX-512; these are for the rest. Tiles as large as
 * the registers of each instruction set.
 *
 * An element's sum runs over k from 0 on in one accumulator (of each block of matrix_outer), so
 * that neither the tile that it falls into nor the number of rows can be seen in it: a team may
 * share out positions, panels or rows.
 *
 * Loops: over panels of b, over groups of rows, over halves or quarters of a panel as wide as two
 * vectors, over k. A panel of b is read from memory once and stays in the caches for all groups of
 * rows; each group fetches its part of the panel that follows. */
#include "src/nn/kernels/matrix.h"

#include <assert.h>
#include <string.h>

/* Steps and rows of a block of matrix_outer; rows of the largest tile of it. */
enum { OUTER = 256, OUTER_ROWS = 512, MOST_ROWS = 8 };

/* Fused multiply-adds where the processor has them: all ranks of a run have the same. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

/* What one panel needs of its shape. fetch: the memory of the panel that follows, `each` bytes of
 * it at each k. */
typedef struct panel_work {
    size_t rows; /* of a group: the kernel's own */
    size_t inner, a_stride, c_stride;
    bool add;
    const char *fetch;
    size_t each;
} panel_work;

/* Vectors that need not be aligned: rows of c and a are at multiples of 4 bytes alone. */
#define LOOSE __attribute__((aligned(4), may_alias))
typedef float loose4 __attribute__((vector_size(16))) LOOSE;
typedef float loose8 __attribute__((vector_size(32))) LOOSE;
typedef float loose16 __attribute__((vector_size(64))) LOOSE;

/* `group` rows times a panel, two vectors of `width` columns at once. Rows are addressed from a
 * base each four of them: more pointers than that do not fit the registers. */
#define TILE(name, isa, VECTOR, width, group)                                                      \
    isa static void name(const panel_work *w, const float *a, const float *b, float *c) {          \
        size_t stride = w->a_stride, inner = w->inner;                                             \
        for (int v = 0; v < MATRIX_PANEL; v += 2 * (width)) {                                      \
            VECTOR s[group][2] = {{{0}}};                                                          \
            const float *y = b + v, *x[((group) + 3) / 4];                                         \
            const char *fetch = w->fetch;                                                          \
            FETCH(width, group)                                                                    \
            for (int q = 0; q < ((group) + 3) / 4; q++) x[q] = a + (size_t)(4 * q) * stride;       \
            for (size_t k = 0; k < inner; k++, y += MATRIX_PANEL, fetch += w->each) {              \
                VECTOR y0 = *(const VECTOR *)y, y1 = *(const VECTOR *)(y + (width));               \
                __builtin_prefetch(fetch, 0, 2);                                                   \
                _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                       \
                    float e = x[i / 4][(size_t)(i % 4) * stride + k];                              \
                    s[i][0] += y0 * e;                                                             \
                    s[i][1] += y1 * e;                                                             \
                }                                                                                  \
            }                                                                                      \
            STORE(VECTOR, width, group)                                                            \
        }                                                                                          \
    }

/* The same for the columns of a, which stand side by side. A step over k reads `group` neighbouring
 * elements. */
#define TRANSPOSED(name, isa, VECTOR, width, group)                                                \
    isa static void name(const panel_work *w, const float *a, const float *b, float *c) {          \
        size_t stride = w->a_stride, inner = w->inner;                                             \
        for (int v = 0; v < MATRIX_PANEL; v += 2 * (width)) {                                      \
            VECTOR s[group][2] = {{{0}}};                                                          \
            const float *y = b + v, *x = a;                                                        \
            const char *fetch = w->fetch;                                                          \
            FETCH(width, group)                                                                    \
            for (size_t k = 0; k < inner; k++, y += MATRIX_PANEL, x += stride, fetch += w->each) { \
                VECTOR y0 = *(const VECTOR *)y, y1 = *(const VECTOR *)(y + (width));               \
                __builtin_prefetch(fetch, 0, 2);                                                   \
                _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                       \
                    float e = x[i];                                                                \
                    s[i][0] += y0 * e;                                                             \
                    s[i][1] += y1 * e;                                                             \
                }                                                                                  \
            }                                                                                      \
            STORE(VECTOR, width, group)                                                            \
        }                                                                                          \
    }

/* The beginning of both: what the sums will be added to comes from far while they are made. */
#define FETCH(width, group)                                                                        \
    for (int i = 0; w->add && i < (group); i++) {                                                  \
        const float *far = c + (size_t)i * w->c_stride + v;                                        \
        __builtin_prefetch(far, 1, 3);                                                             \
        __builtin_prefetch(far + 2 * (width)-1, 1, 3);                                             \
    }

/* The end of both: the sums are added to c, or take its place, once each. The addition to c is the
 * last one of an element. */
#define STORE(VECTOR, width, group)                                                                \
    _Pragma("GCC unroll 16") for (int i = 0; i < (group); i++) {                                   \
        VECTOR *to = (VECTOR *)(c + (size_t)i * w->c_stride + v);                                  \
        if (w->add) s[i][0] += to[0], s[i][1] += to[1];                                            \
        to[0] = s[i][0];                                                                           \
        to[1] = s[i][1];                                                                           \
    }

typedef void (*tile_function)(const panel_work *w, const float *a, const float *b, float *c);
typedef struct kernel {
    int rows;
    tile_function run;
} kernel;
typedef struct kernel_set {
    const kernel *tile; /* for rows that are rounded up: the largest first */
    int count;
    kernel transposed;
    const tile_function *any, *any_transposed; /* [most]: for 1 .. most rows */
    size_t most;
} kernel_set;

/* Two sums a row, two vectors of the panel and an element of a must fit the registers: 16 of SSE
 * and AVX2, 32 of AVX-512. Several heights, so that few rows are calculated in vain (`choose`). */
TILE(plain_1, , loose4, 4, 1)
TILE(plain_2, , loose4, 4, 2)
TILE(plain_3, , loose4, 4, 3)
TILE(plain_4, , loose4, 4, 4)
TRANSPOSED(plain_transposed_1, , loose4, 4, 1)
TRANSPOSED(plain_transposed_2, , loose4, 4, 2)
TRANSPOSED(plain_transposed_3, , loose4, 4, 3)
TRANSPOSED(plain_transposed, , loose4, 4, 4)
static const kernel plain[] = {{4, plain_4}};
static const tile_function any_plain[] = {plain_1, plain_2, plain_3, plain_4};
static const tile_function any_plain_transposed[] = {
    plain_transposed_1, plain_transposed_2, plain_transposed_3, plain_transposed};

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
TILE(avx2_1, AVX2, loose8, 8, 1)
TILE(avx2_2, AVX2, loose8, 8, 2)
TILE(avx2_3, AVX2, loose8, 8, 3)
TILE(avx2_4, AVX2, loose8, 8, 4)
TILE(avx2_5, AVX2, loose8, 8, 5)
TILE(avx2_6, AVX2, loose8, 8, 6)
TRANSPOSED(avx2_transposed_1, AVX2, loose8, 8, 1)
TRANSPOSED(avx2_transposed_2, AVX2, loose8, 8, 2)
TRANSPOSED(avx2_transposed_3, AVX2, loose8, 8, 3)
TRANSPOSED(avx2_transposed, AVX2, loose8, 8, 4)
TRANSPOSED(avx2_transposed_5, AVX2, loose8, 8, 5)
TRANSPOSED(avx2_transposed_6, AVX2, loose8, 8, 6)
static const kernel avx2[] = {{6, avx2_6}, {5, avx2_5}, {4, avx2_4}};
/* What is for processors without AVX-512 does for those with it. */
static const tile_function any_avx2[] = {avx2_1, avx2_2, avx2_3, avx2_4, avx2_5, avx2_6};
static const tile_function any_avx2_transposed[] = {avx2_transposed_1, avx2_transposed_2,
    avx2_transposed_3, avx2_transposed, avx2_transposed_5, avx2_transposed_6};
#define ANY_AVX2 any_avx2, any_avx2_transposed, sizeof any_avx2 / sizeof *any_avx2

#define AVX512 __attribute__((target("avx512f,fma")))
TILE(avx512_8, AVX512, loose16, 16, 8)
TILE(avx512_9, AVX512, loose16, 16, 9)
TILE(avx512_10, AVX512, loose16, 16, 10)
TILE(avx512_11, AVX512, loose16, 16, 11)
TILE(avx512_12, AVX512, loose16, 16, 12)
TILE(avx512_13, AVX512, loose16, 16, 13)
TRANSPOSED(avx512_transposed, AVX512, loose16, 16, 8)
static const kernel avx512[] = {{13, avx512_13}, {12, avx512_12}, {11, avx512_11}, {10, avx512_10},
    {9, avx512_9}, {8, avx512_8}};
#endif

/* What the processor has decides how sums are rounded (fused or not), but no size of tile does. */
static kernel_set kernels(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return (kernel_set){
            avx512, sizeof avx512 / sizeof *avx512, {8, avx512_transposed}, ANY_AVX2};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (kernel_set){avx2, sizeof avx2 / sizeof *avx2, {4, avx2_transposed}, ANY_AVX2};
#endif
    return (kernel_set){plain, sizeof plain / sizeof *plain, {4, plain_transposed}, any_plain,
        any_plain_transposed, sizeof any_plain / sizeof *any_plain};
}

static size_t round_up(size_t rows, const kernel *k) {
    size_t each = (size_t)k->rows;
    return (rows + each - 1) / each * each;
}

/* The kernel that takes least: a step loads a vector a row, and two of the panel. */
static const kernel *choose(const kernel_set *set, size_t rows) {
    const kernel *best = NULL;
    double least = 0;
    for (int i = 0; i < set->count; i++) {
        double each = set->tile[i].rows;
        double cost = (double)round_up(rows, &set->tile[i]) * (each + 1) / each;
        if (!best || cost < least) best = &set->tile[i], least = cost;
    }
    return best;
}

/* Depends on the instruction set: buffers are laid out by it, results are not. */
size_t matrix_rows(size_t rows) {
    kernel_set set = kernels();
    return round_up(rows, choose(&set, rows));
}

/* The fetch beyond the last panel does no harm: prefetches never fault. */
void matrix_product(const matrix_shape *s, const float *a, const float *b, float *c) {
    kernel_set set = kernels();
    const kernel *k = s->transposed ? &set.transposed : choose(&set, s->rows);
    size_t each = (size_t)k->rows, columns = matrix_columns(s->columns);
    size_t panel = s->inner * MATRIX_PANEL, groups = s->rows / each;
    /* Rows left over would need a kernel of their own: callers round up instead, and let the rows
     * hold anything. */
    assert(s->rows % each == 0);
    panel_work w = {.inner = s->inner,
        .a_stride = matrix_stride(s->transposed ? s->rows : s->inner),
        .c_stride = columns,
        .add = s->add,
        .each = MATRIX_PANEL * sizeof *b / groups + 1};
    for (size_t j = 0; j < columns; j += MATRIX_PANEL, b += panel)
        for (size_t g = 0; g < groups; g++) {
            size_t row = g * each;
            w.fetch = (const char *)(b + panel) + g * w.each * s->inner;
            k->run(&w, s->transposed ? a + row : a + row * w.a_stride, b, c + row * columns + j);
        }
}

/* Rows in groups as equal as they can be: none is so small that the registers stay empty, unless
 * there are no more rows. */
void matrix_add(const matrix_rows_of *m, const float *a, const float *b, float *c) {
    kernel_set set = kernels();
    size_t groups = (m->rows + set.most - 1) / set.most, row = 0;
    panel_work w = {.inner = m->inner,
        .a_stride = m->a_stride,
        .c_stride = m->c_stride,
        .add = true,
        .fetch = (const char *)(m->fetch ? m->fetch : b)};
    if (m->fetch) w.each = MATRIX_PANEL * sizeof *b / groups + 1;
    for (size_t g = 0; g < groups; g++, w.fetch += w.each * m->inner) {
        size_t end = m->rows * (g + 1) / groups;
        set.any[end - row - 1](&w, a + row * m->a_stride, b, c + row * m->c_stride);
        row = end;
    }
}

/* Rows of a by the groups of a tile, [group, n, most], as many groups at once as fill some lines of
 * the cache: what a tile reads is one stream. */
static void pack_groups(const matrix_shape *s, size_t n, size_t most, const float *a, float *to) {
    enum { AT_ONCE = 8 };
    size_t rows = s->rows, wide = AT_ONCE * most;
    for (size_t first = 0; first < rows; first += wide) {
        size_t end = first + wide < rows ? first + wide : rows;
        for (size_t k = 0; k < n; k++)
            for (size_t row = first; row < end; row += most) {
                size_t count = end - row < most ? end - row : most;
                memcpy(to + row * n + k * most, a + k * rows + row, count * sizeof *a);
            }
    }
}

/* b by panels, the columns of the last one filled up. */
static void pack_panels(const matrix_shape *s, size_t n, const float *b, float *to) {
    for (size_t j = 0; j < s->columns; j += MATRIX_PANEL) {
        size_t left = s->columns - j < MATRIX_PANEL ? s->columns - j : MATRIX_PANEL;
        for (size_t k = 0; k < n; k++, to += MATRIX_PANEL) {
            memcpy(to, b + k * s->columns + j, left * sizeof *b);
            memset(to + left, 0, (MATRIX_PANEL - left) * sizeof *to);
        }
    }
}

/* A group of rows of the last panel, of `left` columns: what lies beyond is not c's. */
static void add_narrow(
    tile_function run, panel_work w, const float *a, const float *b, size_t left, float *c) {
    float tile[MOST_ROWS][MATRIX_PANEL];
    size_t stride = w.c_stride;
    bool add = w.add;
    w.c_stride = MATRIX_PANEL;
    w.add = false;
    run(&w, a, b, tile[0]);
    for (size_t i = 0; i < w.rows; i++)
        for (size_t j = 0; j < left; j++)
            c[i * stride + j] = add ? c[i * stride + j] + tile[i][j] : tile[i][j];
}

/* Rows first .. end - 1, whose groups stay in the second-level cache, by all columns. */
static void add_rows(const matrix_shape *s, const kernel_set *set, panel_work w, size_t first,
    size_t end, const float *a, const float *b, float *c) {
    for (size_t j = 0; j < s->columns; j += MATRIX_PANEL, b += w.inner * MATRIX_PANEL)
        for (size_t row = first; row < end; row += set->most) {
            size_t left = s->columns - j;
            float *to = c + row * s->columns + j;
            w.rows = end - row < set->most ? end - row : set->most;
            w.fetch = (const char *)b;
            tile_function run = set->any_transposed[w.rows - 1];
            if (left >= MATRIX_PANEL)
                run(&w, a + row * w.inner, b, to);
            else
                add_narrow(run, w, a + row * w.inner, b, left, to);
        }
}

static size_t in_groups(size_t rows, size_t most) {
    return (rows + most - 1) / most * most;
}

size_t matrix_outer_scratch(const matrix_shape *s) {
    size_t n = s->inner < OUTER ? s->inner : OUTER, most = kernels().most;
    return n * (in_groups(s->rows, most) + matrix_columns(s->columns)) * sizeof(float);
}

/* Block by block of k: a tile's part of both matrices stays in the first-level cache. */
void matrix_outer(const matrix_shape *s, const float *a, const float *b, float *c, float *scratch) {
    kernel_set set = kernels();
    size_t together = OUTER_ROWS / set.most * set.most;
    for (size_t k = 0; k < s->inner; k += OUTER) {
        size_t n = s->inner - k < OUTER ? s->inner - k : OUTER;
        float *panels = scratch + n * in_groups(s->rows, set.most);
        const panel_work w = {
            .inner = n, .a_stride = set.most, .c_stride = s->columns, .add = s->add || k > 0};
        pack_groups(s, n, set.most, a + k * s->rows, scratch);
        pack_panels(s, n, b + k * s->columns, panels);
        for (size_t row = 0; row < s->rows; row += together) {
            size_t end = row + together < s->rows ? row + together : s->rows;
            add_rows(s, &set, w, row, end, scratch, panels, c);
        }
    }
}
