/* Blocks of tokens through both products. All blocks have one size, so that two kernels do, and it
 * is a multiple of 32 rows: oneDNN's bf16 kernels lose a third of their speed on others, where
 * AMX's tiles are cut. The last block is filled up in the thread's memory. Of the sizes the one
 * with the fewest rows in vain is taken; it depends on the number of tokens alone.
 *
 * Against whole maps, measured on one core of a Xeon with AMX, 1025 tokens of 384 channels: the
 * products take 2.0 ms instead of 3.2 in bf16 and 16.0 instead of 16.8 in fp32, and the hidden
 * values are never written to memory. */
#include "src/nn/kernels/mlp.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/nn/kernels/tokens.h"

#include <string.h>

enum { UNIT = 32, LEAST = 96, MOST = 256, CACHE_LINE = 64 };

struct mlp {
    mlp_shape s;
    size_t rows, blocks;
    onednn_kernel *widen, *narrow; /* [rows, C] to [rows, hidden], and back, added to y */
    float *bias1, *bias2;          /* [hidden], [C], scaled */
};

static size_t blocks_of(size_t tokens, size_t rows) {
    return (tokens + rows - 1) / rows;
}

/* The larger of two that waste alike: weights are read once a block. */
static size_t choose_rows(size_t tokens) {
    size_t best = MOST;
    for (size_t rows = MOST; rows >= LEAST; rows -= UNIT)
        if (blocks_of(tokens, rows) * rows < blocks_of(tokens, best) * best) best = rows;
    return best;
}

status mlp_create(mlp **out, onednn *o, const mlp_shape *s) {
    mlp *m = memory_alloc(1, sizeof *m, "MLP");
    if (!m) return STATUS_FAILED;
    *m = (mlp){.s = *s, .rows = choose_rows((size_t)s->tokens)};
    m->blocks = blocks_of((size_t)s->tokens, m->rows);
    int rows = (int)m->rows, c = s->channels, h = s->hidden;
    conv_shape widen = {rows, 1, c, rows, 1, h, 1, 1, 1, 0, s->type, 0, 0};
    conv_shape narrow = {rows, 1, h, rows, 1, c, 1, 1, 1, 0, s->type, 0, 0};
    m->bias1 = memory_alloc((size_t)h, sizeof *m->bias1, "MLP");
    m->bias2 = memory_alloc((size_t)c, sizeof *m->bias2, "MLP");
    status st = m->bias1 && m->bias2 ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = onednn_forward(&m->widen, o, &widen, (conv_fusion){.bias = true});
    if (st == STATUS_OK)
        st = onednn_forward(&m->narrow, o, &narrow, (conv_fusion){.bias = true, .sum = true});
    if (st != STATUS_OK) {
        mlp_destroy(m);
        return st;
    }
    *out = m;
    return STATUS_OK;
}

void mlp_destroy(mlp *m) {
    if (!m) return;
    onednn_kernel_destroy(m->widen);
    onednn_kernel_destroy(m->narrow);
    memory_free(m->bias1);
    memory_free(m->bias2);
    memory_free(m);
}

size_t mlp_bytes(const mlp *m) {
    return onednn_bytes(m->widen) + onednn_bytes(m->narrow) +
           (size_t)(m->s.hidden + m->s.channels) * sizeof *m->bias1;
}

/* The next piece of memory, from a cache line on. base NULL: only counts. */
static void *piece(char *base, size_t *at, size_t bytes) {
    char *p = base ? base + *at : NULL;
    *at += (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    return p;
}

/* A thread's memory: a block of hidden values, one of tokens in and out, oneDNN's. */
typedef struct room {
    void *hidden, *x, *y, *products;
    size_t bytes;
} room;

static room lay_out(const mlp *m, char *base) {
    room r = {0};
    size_t each = dtype_size(m->s.type), at = 0;
    size_t block = m->rows * (size_t)m->s.channels * each;
    size_t first = onednn_scratch(m->widen), second = onednn_scratch(m->narrow);
    r.hidden = piece(base, &at, m->rows * (size_t)m->s.hidden * each);
    r.x = piece(base, &at, block);
    r.y = piece(base, &at, block);
    r.products = piece(base, &at, first > second ? first : second);
    r.bytes = at;
    return r;
}

size_t mlp_scratch(const mlp *m) {
    return lay_out(m, NULL).bytes;
}

/* Layer scale goes into the second product, in float64 as norms do. */
status mlp_pack(mlp *m, int thread, const mlp_weights *w) {
    size_t c = (size_t)m->s.channels, h = (size_t)m->s.hidden;
    float *scaled = NULL;
    memcpy(m->bias1, w->bias1, h * sizeof *m->bias1);
    memcpy(m->bias2, w->bias2, c * sizeof *m->bias2);
    status st = onednn_pack(m->widen, thread, w->weight1);
    if (st != STATUS_OK || !w->scale)
        return st != STATUS_OK ? st : onednn_pack(m->narrow, thread, w->weight2);
    scaled = memory_alloc(c * h, sizeof *scaled, "scaled weights");
    if (!scaled) return STATUS_FAILED;
    for (size_t o = 0; o < c; o++) {
        m->bias2[o] = (float)((double)w->bias2[o] * w->scale[o]);
        for (size_t i = 0; i < h; i++)
            scaled[o * h + i] = (float)((double)w->weight2[o * h + i] * w->scale[o]);
    }
    st = onednn_pack(m->narrow, thread, scaled);
    memory_free(scaled);
    return st;
}

static status run_block(const mlp *m, int thread, const void *x, void *y, const room *r) {
    status st = onednn_run(m->widen, thread, x, r->hidden, m->bias1, r->products);
    if (st != STATUS_OK) return st;
    tokens_gelu(r->hidden, r->hidden, m->rows * (size_t)m->s.hidden, m->s.type);
    return onednn_run(m->narrow, thread, r->hidden, y, m->bias2, r->products);
}

/* The last block, of `count` tokens, by way of the thread's memory: what stands behind them there
 * is anything, and goes nowhere. */
static status run_rest(
    const mlp *m, int thread, const void *x, void *y, size_t count, const room *r) {
    size_t bytes = count * (size_t)m->s.channels * dtype_size(m->s.type);
    memcpy(r->x, x, bytes);
    memcpy(r->y, y, bytes);
    status st = run_block(m, thread, r->x, r->y, r);
    memcpy(y, r->y, bytes);
    return st;
}

status mlp_run(const mlp *m, const team *t, const void *x, void *y) {
    size_t begin, end, row = (size_t)m->s.channels, tokens = (size_t)m->s.tokens;
    room r = lay_out(m, t->scratch);
    status worst = STATUS_OK;
    team_share(t, m->blocks, 1, &begin, &end);
    for (size_t b = begin; b < end; b++) {
        size_t first = b * m->rows, left = tokens - first;
        const void *from = row_at(x, first * row, m->s.type);
        void *to = row_at(y, first * row, m->s.type);
        status st = left < m->rows ? run_rest(m, t->thread, from, to, left, &r)
                                   : run_block(m, t->thread, from, to, &r);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}
