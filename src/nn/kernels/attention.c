/* Attention in tiles (Milakov & Gimelshein 2018, Dao, Fu, Ermon, Rudra, Re 2022): some hundred
 * queries meet some hundred keys at a time. Of the tiles of a row of scores only the largest score
 * so far, the sum of exponentials and the weighted sum of values are kept; where a later tile has a
 * larger score, both sums are scaled down. The scores of a tile stay in the second cache.
 *
 * Both products are oneDNN's. For them a head's keys are transposed and its values gathered, once
 * for all queries: a tile each, filled up with zeros so that all tiles have one shape and two
 * primitives do. Padded keys get a weight of nothing.
 *
 * Exponentials are powers of two of scores times log2(e) / sqrt(d): one multiplication does both.
 * Tiles depend on the number of tokens alone, a row's arithmetic on its own tile: a team shares out
 * tiles, and its size cannot be seen in the result. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast") /* as in matrix.c */
#endif
#include "src/nn/kernels/attention.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes.h"

#include <math.h>
#include <string.h>

enum {
    MOST_ROWS = 256, /* queries of a tile */
    MOST_KEYS = 384, /* and keys: 384 KiB of scores */
    CACHE_LINE = 64,
};

/* d = channels of a head, R = rows of a tile, K = keys of a tile. */
struct attention {
    attention_shape s;
    size_t rows, keys, row_tiles, key_tiles; /* R, K, and how many */
    float factor;                            /* log2(e) / sqrt(d) */
    onednn_product *scores, *sums;           /* [R, d] [d, K], [R, K] [K, d] added */
};

/* A thread's memory, and the team's. */
typedef struct room {
    char *key;      /* [key_tiles, d, K], of the team */
    char *value;    /* [key_tiles, K, d], of the team */
    char *query;    /* [R, d] */
    float *score;   /* [R, K] */
    char *weight;   /* [R, K]: in fp32 where the scores are */
    float *sum;     /* [R, d] */
    float *most;    /* [R] largest score so far, times factor */
    float *total;   /* [R] sum of the exponentials */
    char *products; /* oneDNN's */
    size_t all;     /* bytes */
} room;

/* Tiles of equal size, at most `most`, a multiple of `unit`. */
static size_t tile_size(size_t tokens, size_t most, size_t unit, size_t *tiles) {
    *tiles = (tokens + most - 1) / most;
    size_t each = (tokens + *tiles - 1) / *tiles;
    return (each + unit - 1) / unit * unit;
}

status attention_create(attention **out, onednn *o, const attention_shape *s) {
    attention *a = memory_alloc(1, sizeof *a, "attention");
    if (!a) return STATUS_FAILED;
    *a = (attention){.s = *s, .factor = (float)(1.4426950408889634 / sqrt(s->dim))};
    a->rows = tile_size((size_t)s->tokens, MOST_ROWS, LANES, &a->row_tiles);
    a->keys = tile_size((size_t)s->tokens, MOST_KEYS, 2 * LANES, &a->key_tiles);
    int64_t rows = (int64_t)a->rows, keys = (int64_t)a->keys;
    product_shape scores = {1, rows, s->dim, keys, false, false, s->type};
    product_shape sums = {1, rows, keys, s->dim, false, true, s->type};
    status st = onednn_product_create(&a->scores, o, &scores);
    if (st == STATUS_OK) st = onednn_product_create(&a->sums, o, &sums);
    if (st != STATUS_OK) {
        attention_destroy(a);
        return st;
    }
    *out = a;
    return STATUS_OK;
}

void attention_destroy(attention *a) {
    if (!a) return;
    onednn_product_destroy(a->scores);
    onednn_product_destroy(a->sums);
    memory_free(a);
}

/* The next piece of memory, from a cache line on. base NULL: only counts. */
static void *piece(char *base, size_t *at, size_t bytes) {
    char *p = base ? base + *at : NULL;
    *at += (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    return p;
}

/* shared: the leader's memory, whose first part all of a team use; own: the thread's. */
static room lay_out(const attention *a, char *shared, char *own) {
    room m = {0};
    size_t each = dtype_size(a->s.type), dim = (size_t)a->s.dim, at = 0;
    size_t head = a->key_tiles * a->keys * dim * each, tile = a->rows * a->keys;
    size_t scratch = onednn_product_scratch(a->scores), other = onednn_product_scratch(a->sums);
    m.key = piece(shared, &at, head);
    m.value = piece(shared, &at, head);
    m.query = piece(own, &at, a->rows * dim * each);
    m.score = piece(own, &at, tile * sizeof *m.score);
    m.weight = a->s.type == DTYPE_F32 ? (char *)m.score : piece(own, &at, tile * each);
    m.sum = piece(own, &at, a->rows * dim * sizeof *m.sum);
    m.most = piece(own, &at, a->rows * sizeof *m.most);
    m.total = piece(own, &at, a->rows * sizeof *m.total);
    m.products = piece(own, &at, scratch > other ? scratch : other);
    m.all = at;
    return m;
}

size_t attention_scratch(const attention *a) {
    return lay_out(a, NULL, NULL).all;
}

/* ---- packing ---- */

/* Tokens `first` on of x [T, stride]: count x d to y [d, K]. */
static void transpose_f32(
    const float *x, size_t stride, size_t count, size_t dim, size_t keys, float *y) {
    for (size_t c = 0; c < dim; c++)
        for (size_t i = 0; i < count; i++) y[c * keys + i] = x[i * stride + c];
}

static void transpose_bf16(
    const uint16_t *x, size_t stride, size_t count, size_t dim, size_t keys, uint16_t *y) {
    for (size_t c = 0; c < dim; c++)
        for (size_t i = 0; i < count; i++) y[c * keys + i] = x[i * stride + c];
}

/* y [rows, d] = the first `count` tokens from x on, zeros behind. */
static void gather(const attention *a, const char *x, size_t count, size_t rows, char *y) {
    size_t each = dtype_size(a->s.type), bytes = (size_t)a->s.dim * each;
    size_t stride = 3 * (size_t)a->s.heads * bytes;
    for (size_t i = 0; i < count; i++) memcpy(y + i * bytes, x + i * stride, bytes);
    memset(y + count * bytes, 0, (rows - count) * bytes);
}

static size_t at_most(size_t count, size_t most) {
    return count < most ? count : most;
}

/* Tile j of a head's keys and values. head: where its queries begin in the first token. */
static void pack_tile(const attention *a, const char *head, size_t j, const room *m) {
    size_t each = dtype_size(a->s.type), dim = (size_t)a->s.dim;
    size_t channels = (size_t)a->s.heads * dim, stride = 3 * channels;
    size_t first = j * a->keys, size = a->keys * dim * each;
    size_t count = at_most((size_t)a->s.tokens - first, a->keys);
    const char *key = head + (first * stride + channels) * each;
    char *to = m->key + j * size;
    if (count < a->keys) memset(to, 0, size);
    if (a->s.type == DTYPE_F32)
        transpose_f32((const float *)key, stride, count, dim, a->keys, (float *)to);
    else
        transpose_bf16((const uint16_t *)key, stride, count, dim, a->keys, (uint16_t *)to);
    gather(a, key + channels * each, count, a->keys, m->value + j * size);
}

/* ---- softmax ---- */

/* 2^x for x <= 0, from 2^-126 on: exponent and fraction apart, the fraction's power by Cephes'
 * polynomial (exp2f), within 2e-7. */
LANES_INLINE lanes lanes_exp2(lanes x) {
    static const float p[] = {1.535336188319500e-4f, 1.339887440266574e-3f, 9.618437357674640e-3f,
        5.550332471162809e-2f, 2.402264791363012e-1f, 6.931472028550421e-1f, 1.0f};
    const float round = 12582912.0f; /* 1.5 x 2^23: what is added to it has no fraction left */
    x = lanes_larger(x, (lanes){0} - 126.0f);
    lanes whole = x + round;
    lanes_int power = (lanes_int)whole << 23;
    x -= whole - round;
    lanes y = (lanes){0} + p[0];
    for (size_t i = 1; i < sizeof p / sizeof *p; i++) y = y * x + p[i];
    return (lanes)((lanes_int)y + power);
}

/* Weights are between 0 and 1: rounding to bf16 need not look for what is not a number. Halves are
 * rounded up. */
LANES_INLINE void store_weights(void *x, size_t i, lanes w, dtype t) {
    if (t == DTYPE_F32) {
        lanes_store(x, i, w, t);
        return;
    }
    lanes_half h = __builtin_convertvector(((lanes_bits)w + 0x8000u) >> 16, lanes_half);
    memcpy((uint16_t *)x + i, &h, sizeof h);
}

/* Row r of a tile of scores, of which `valid` are keys': to weights, with its sums scaled down
 * where the largest score grows. Before the first tile the sums are zero and `most` is so low that
 * their factor is nothing. */
LANES_INLINE void soften_row(const attention *a, const room *m, size_t r, size_t valid, dtype t) {
    size_t keys = a->keys, dim = (size_t)a->s.dim;
    float *s = m->score + r * keys, *sum = m->sum + r * dim;
    for (size_t i = valid; i < keys; i++) s[i] = -INFINITY;
    /* Two of each, for a single one would wait for itself. Keys of a tile are a multiple of 32. */
    lanes high[2] = {lanes_load(s, 0, DTYPE_F32), lanes_load(s, LANES, DTYPE_F32)}, total[2] = {0};
    for (size_t i = 2 * LANES; i < keys; i += 2 * LANES)
        for (size_t k = 0; k < 2; k++)
            high[k] = lanes_larger(lanes_load(s, i + k * LANES, DTYPE_F32), high[k]);
    float most = lanes_most(lanes_larger(high[0], high[1])) * a->factor, before = m->most[r];
    most = most > before ? most : before;
    for (size_t i = 0; i < keys; i += 2 * LANES)
        for (size_t k = 0; k < 2; k++) {
            size_t at = i + k * LANES;
            lanes w = lanes_exp2(lanes_load(s, at, DTYPE_F32) * a->factor - most);
            total[k] += w;
            store_weights(m->weight, r * keys + at, w, t);
        }
    float scale = lanes_exp2((lanes){0} + (before - most))[0];
    m->most[r] = most;
    m->total[r] = m->total[r] * scale + lanes_sum(total[0] + total[1]);
    for (size_t c = 0; c < dim; c += LANES)
        lanes_store(sum, c, lanes_load(sum, c, DTYPE_F32) * scale, DTYPE_F32);
}

LANES_INLINE void soften_rows(const attention *a, const room *m, size_t valid, dtype t) {
    for (size_t r = 0; r < a->rows; r++) soften_row(a, m, r, valid, t);
}

VECTOR_CLONES static void soften(const attention *a, const room *m, size_t valid) {
    ROW_TYPED(a->s.type, soften_rows, a, m, valid);
}

/* `count` rows of sums to y: divided by their totals. */
LANES_INLINE void finish_rows(const attention *a, const room *m, size_t count, void *y, dtype t) {
    size_t dim = (size_t)a->s.dim, channels = (size_t)a->s.heads * dim;
    for (size_t r = 0; r < count; r++) {
        float scale = 1.0f / m->total[r];
        for (size_t c = 0; c < dim; c += LANES)
            lanes_store(y, r * channels + c, lanes_load(m->sum, r * dim + c, DTYPE_F32) * scale, t);
    }
}

VECTOR_CLONES static void finish(const attention *a, const room *m, size_t count, void *y) {
    ROW_TYPED(a->s.type, finish_rows, a, m, count, y);
}

/* ---- execution ---- */

/* Queries of tile i of a head, against all keys. */
static status run_tile(
    const attention *a, int thread, const char *head, size_t i, const room *m, char *y) {
    size_t each = dtype_size(a->s.type), dim = (size_t)a->s.dim;
    size_t channels = (size_t)a->s.heads * dim, first = i * a->rows, tokens = (size_t)a->s.tokens;
    size_t count = at_most(tokens - first, a->rows), size = a->keys * dim * each;
    status st = STATUS_OK;
    gather(a, head + 3 * first * channels * each, count, a->rows, m->query);
    memset(m->sum, 0, a->rows * dim * sizeof *m->sum);
    for (size_t r = 0; r < a->rows; r++) m->most[r] = -1e30f, m->total[r] = 0;
    for (size_t j = 0; j < a->key_tiles && st == STATUS_OK; j++) {
        st = onednn_product_run(
            a->scores, thread, m->query, m->key + j * size, m->score, m->products);
        soften(a, m, at_most(tokens - j * a->keys, a->keys));
        if (st == STATUS_OK)
            st = onednn_product_run(
                a->sums, thread, m->weight, m->value + j * size, m->sum, m->products);
    }
    finish(a, m, count, y + first * channels * each);
    return st;
}

/* Head by head, so that the packed keys and values of one alone are held; those of the next are
 * packed when all threads are done with this one's. */
status attention_run(const attention *a, const team *t, const void *qkv, void *y) {
    room m = lay_out(a, t->shared, t->scratch);
    status worst = STATUS_OK;
    size_t bytes = (size_t)a->s.dim * dtype_size(a->s.type), begin, end;
    for (size_t h = 0; h < (size_t)a->s.heads; h++) {
        const char *head = (const char *)qkv + h * bytes;
        team_share(t, a->key_tiles, 1, &begin, &end);
        for (size_t j = begin; j < end; j++) pack_tile(a, head, j, &m);
        team_meet(t);
        team_share(t, a->row_tiles, 1, &begin, &end);
        for (size_t i = begin; i < end; i++) {
            status st = run_tile(a, t->thread, head, i, &m, (char *)y + h * bytes);
            if (st != STATUS_OK) worst = st;
        }
        team_meet(t);
    }
    return worst;
}
