/* Tiles are transformed and multiplied block by block, so that what the transforms write is still
 * in the cache when the products read it. Weights are transformed when they are packed.
 *
 * Forward, a block of tiles: gather V [alpha^2, tiles, C], multiply M[p] = V[p] U[p] for each
 * position p, scatter M to the outputs. Weights' gradient: gather V from x, expand E from dy, dU[p]
 * = V[p]^T E[p], collected to dW and added block by block.
 *
 * In fp32 the products are matrix.h's, and the right matrices are packed by panels for them; in
 * bf16 they are oneDNN's, of plain rows. In fp32 blocks decide no bit of the forward pass, for each
 * element of M is one sum over channels; but they do of a weights' gradient, whose blocks are added
 * in fp32, and oneDNN may add in another order for another shape. The sizes of blocks are therefore
 * a function of the shape alone, as is the choice of m. */
#include "src/nn/kernels/winograd.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/nn/kernels/lanes.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/winograd_transform.h"

#include <math.h>

/* A block of tiles is what the transforms write and the products read from the second-level cache;
 * but matrices of fewer rows than LEAST are slow. */
enum {
    BLOCK_BYTES = 1 << 20,
    GRADIENT_BYTES = 16 << 20,
    LEAST_TILES = 80,
    MOST_TILES = 256,
    ALIGNMENT = 64
};

_Static_assert((int)WINOGRAD_PANEL == (int)MATRIX_PANEL, "stacks are packed for matrix.h");

struct winograd {
    conv_shape c;
    conv_fusion f;
    dtype products;
    winograd_map map;
    int block;               /* tiles of a product */
    int rows;                /* of its matrices: `block`, or a few more */
    void *zero;              /* [max(C, O)]: a pixel outside of the map */
    void *u;                 /* [alpha^2, C, O], forward; borrowed */
    onednn_product *product; /* in bf16 */
    size_t bytes[3];         /* of the matrices in scratch memory: V, E (weights), M or dU */
};

/* ---- the choice ---- */

/* Tiles along one side. The pixels of one remainder modulo the dilation are a map of their own,
 * with tiles of their own. */
static int64_t tiles_along(int size, int dilation, int m) {
    int64_t sum = 0;
    for (int phase = 0; phase < dilation && phase < size; phase++)
        sum += ((size - phase + dilation - 1) / dilation + m - 1) / m;
    return sum;
}

static int64_t count_tiles(const conv_shape *c, int m) {
    return tiles_along(c->height, c->dilation, m) * tiles_along(c->width, c->dilation, m);
}

/* Channels in whole vectors: the image's three, and a classifier's, go elsewhere. Padding that
 * keeps the size: a tile's inputs then begin one (dilated) pixel before its outputs. */
static bool fits(const conv_shape *c) {
    return c->kernel == 3 && c->stride == 1 && c->padding == c->dilation &&
           c->channels % LANES == 0 && c->out_channels % LANES == 0;
}

/* m = 2 has less to transform and wastes fewer outputs of small maps; m = 4 multiplies least. */
int winograd_choose(const conv_shape *c, dtype products, double *cost) {
    /* Measured: what the transforms of an element of V and M take, and products lose to blocks. */
    const double transform = 10, loss = 1.1;
    int best = 0;
    *cost = INFINITY;
    for (int m = 2; fits(c) && m <= (products == DTYPE_BF16 ? 2 : 4); m += 2) {
        double in = c->channels, out = c->out_channels;
        double elements = (m + 2.0) * (m + 2.0) * (double)count_tiles(c, m);
        double now = elements * (loss * in * out + transform * (in + out));
        if (now < *cost) *cost = now, best = m;
    }
    return best;
}

/* ---- creation ---- */

/* Phase by phase: a dilated map is dilation^2 interleaved ones. */
static status create_map(winograd_map *g, const conv_shape *c, int m) {
    *g = (winograd_map){m, m + 2, c->dilation, c->height, c->width, (int)count_tiles(c, m), NULL};
    g->origin = memory_alloc((size_t)g->tiles, sizeof *g->origin, "Winograd's tiles");
    if (!g->origin) return STATUS_FAILED;
    int d = c->dilation, n = 0;
    for (int py = 0; py < d; py++)
        for (int px = 0; px < d; px++)
            for (int y = py; y < c->height; y += m * d)
                for (int x = px; x < c->width; x += m * d, n++)
                    g->origin[n][0] = y, g->origin[n][1] = x;
    return STATUS_OK;
}

/* Of a tile, and so matrices of a stack. */
static size_t positions(const winograd *w) {
    return (size_t)w->map.alpha * (size_t)w->map.alpha;
}

/* [alpha^2, rows, columns] as rows: those of the left matrix of a product, or (columns are padded,
 * not the distance) of its result. Rows of fp32 have gaps between them: matrix.h says why. `data`
 * may be NULL where only the size is asked for. */
static winograd_stack as_rows(
    const winograd *w, void *data, size_t rows, size_t columns, bool result) {
    bool own = w->products == DTYPE_F32;
    size_t row = !own ? columns : result ? matrix_columns(columns) : matrix_stride(columns);
    return (winograd_stack){
        data, rows * row, row, WINOGRAD_PANEL, result ? DTYPE_F32 : w->products};
}

/* [alpha^2, rows, columns] as the right matrix of a product. In bf16 oneDNN multiplies, which wants
 * rows. */
static winograd_stack as_panels(const winograd *w, void *data, size_t rows, size_t columns) {
    if (w->products == DTYPE_BF16) return as_rows(w, data, rows, columns, false);
    return (winograd_stack){
        data, rows * matrix_columns(columns), WINOGRAD_PANEL, rows * WINOGRAD_PANEL, DTYPE_F32};
}

/* In whole cache lines: the matrices stand one after the other in scratch memory. */
static size_t stack_bytes(const winograd *w, winograd_stack s) {
    size_t bytes = positions(w) * s.plane * dtype_size(s.type);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int limit(int tiles) {
    return tiles < LEAST_TILES ? LEAST_TILES : tiles > MOST_TILES ? MOST_TILES : tiles;
}

/* Blocks of equal size, of at most `most` tiles. A last block that is nearly empty would cost as
 * much as a full one. */
static void choose_block(winograd *w, int most) {
    int tiles = w->map.tiles, blocks = (tiles + most - 1) / most;
    w->block = (tiles + blocks - 1) / blocks;
    w->rows = w->products == DTYPE_F32 ? (int)matrix_rows((size_t)w->block) : w->block;
}

/* What both passes have: the shape, the tiles, and a row of zeros for what stands outside of the
 * map. Sizes and products are the caller's to set. */
static status create(winograd **out, const conv_shape *c, conv_fusion f, int m, dtype products) {
    winograd *w = memory_alloc(1, sizeof *w, "convolution");
    if (!w) return STATUS_FAILED;
    *w = (winograd){.c = *c, .f = f, .products = products};
    int channels = c->channels > c->out_channels ? c->channels : c->out_channels;
    w->zero = memory_alloc((size_t)channels, sizeof(float), "convolution");
    status st = w->zero ? create_map(&w->map, c, m) : STATUS_FAILED;
    if (st != STATUS_OK) {
        winograd_destroy(w);
        return st;
    }
    *out = w;
    return STATUS_OK;
}

status winograd_forward(
    winograd **out, onednn *o, const conv_shape *c, conv_fusion f, int m, dtype products) {
    winograd *w;
    status st = create(&w, c, f, m, products);
    if (st != STATUS_OK) return st;
    size_t in = (size_t)c->channels, n = (size_t)c->out_channels;
    /* As many tiles as V and M of a block fit in BLOCK_BYTES. */
    int most =
        (int)(BLOCK_BYTES / (positions(w) * (in * dtype_size(products) + n * sizeof(float))));
    choose_block(w, limit(most));
    w->bytes[0] = stack_bytes(w, as_rows(w, NULL, (size_t)w->rows, in, false));
    w->bytes[2] = stack_bytes(w, as_rows(w, NULL, (size_t)w->rows, n, true));
    product_shape p = {.batch = 1,
        .rows = w->rows,
        .inner = c->channels,
        .columns = c->out_channels,
        .type = products};
    if (products == DTYPE_BF16) st = onednn_product_create(&w->product, o, &p);
    if (st != STATUS_OK) {
        winograd_destroy(w);
        return st;
    }
    *out = w;
    return STATUS_OK;
}

/* Columns of dU that exist at once: few enough for the cache. In fp32 a thread makes a panel of dU
 * and collects it at once; in bf16 a product is of all columns. */
static size_t columns_at_once(const winograd *w) {
    return w->products == DTYPE_F32 ? WINOGRAD_PANEL : (size_t)w->c.out_channels;
}

status winograd_backward_weights(
    winograd **out, onednn *o, const conv_shape *c, int m, dtype products) {
    winograd *w;
    status st = create(&w, c, (conv_fusion){.bias = false}, m, products);
    if (st != STATUS_OK) return st;
    size_t in = (size_t)c->channels, n = (size_t)c->out_channels;
    /* Every block makes all of dU: the larger the better, within reason. */
    size_t each = positions(w) * (in + n) * dtype_size(products);
    choose_block(w, limit((int)(GRADIENT_BYTES / each)));
    w->bytes[0] = stack_bytes(w, as_rows(w, NULL, (size_t)w->block, in, false));
    w->bytes[1] = stack_bytes(w, as_panels(w, NULL, (size_t)w->block, n));
    w->bytes[2] = stack_bytes(w, as_rows(w, NULL, in, columns_at_once(w), true));
    product_shape p = {.batch = 1,
        .rows = c->channels,
        .inner = w->block,
        .columns = c->out_channels,
        .transposed = true,
        .type = products};
    if (products == DTYPE_BF16) st = onednn_product_create(&w->product, o, &p);
    if (st != STATUS_OK) {
        winograd_destroy(w);
        return st;
    }
    *out = w;
    return STATUS_OK;
}

void winograd_destroy(winograd *w) {
    if (!w) return;
    onednn_product_destroy(w->product);
    memory_free(w->map.origin);
    memory_free(w->zero);
    memory_free(w);
}

/* A thread of a team takes V, E and M in its leader's memory, dU of panels and oneDNN's scratchpad
 * in its own: each has room for all of it, for any may lead. */
size_t winograd_scratch(const winograd *w) {
    size_t more = w->product ? onednn_product_scratch(w->product) : 0;
    return w->bytes[0] + w->bytes[1] + w->bytes[2] + more;
}

size_t winograd_bytes(const winograd *w) {
    return (size_t)w->map.tiles * sizeof *w->map.origin;
}

size_t winograd_packed_bytes(const winograd *w) {
    return stack_bytes(w, as_panels(w, NULL, (size_t)w->c.channels, (size_t)w->c.out_channels));
}

void winograd_place(winograd *w, void *packed) {
    w->u = packed;
}

/* ---- execution ---- */

/* Outputs are dealt out in whole vectors; a thread without any has begin = end. */
void winograd_pack(const winograd *w, int thread, int threads, const float *weight) {
    winograd_stack u = as_panels(w, w->u, (size_t)w->c.channels, (size_t)w->c.out_channels);
    int lines = w->c.out_channels / LANES;
    int begin = lines * thread / threads * LANES, end = lines * (thread + 1) / threads * LANES;
    winograd_kernel k = {weight, w->c.channels, w->c.out_channels, w->f.transposed};
    winograd_weights(w->map.m, &k, begin, end, &u);
}

/* The last block may have fewer tiles. The rows behind them are multiplied, too, and never read. */
static winograd_block block_at(const winograd *w, int first) {
    int left = w->map.tiles - first;
    return (winograd_block){&w->map, first, left < w->block ? left : w->block};
}

static winograd_image image_of(const winograd *w, const void *x, int channels) {
    return (winograd_image){x, w->zero, channels, w->c.type};
}

/* This thread's share of a block's tiles; *first: the row of its first. */
static winograd_block share_of(const team *t, const winograd_block *b, size_t *first) {
    size_t end;
    team_share(t, (size_t)b->count, 1, first, &end);
    return (winograd_block){b->map, b->first + (int)*first, (int)(end - *first)};
}

/* The rows from `row` on. */
static winograd_stack rows_from(winograd_stack s, size_t row) {
    s.data = row_at(s.data, row * s.row, s.type);
    return s;
}

/* The matrices of positions begin .. end - 1, one after the other, in fp32. */
static void multiply(const matrix_shape *s, size_t begin, size_t end, const winograd_stack *a,
    const winograd_stack *b, const winograd_stack *c) {
    for (size_t p = begin; p < end; p++)
        matrix_product(s, (const float *)a->data + p * a->plane,
            (const float *)b->data + p * b->plane, (float *)c->data + p * c->plane);
}

/* The same in bf16. The scratchpad stands behind the matrices, in this thread's own memory. All
 * positions of the share are done or given up together: the caller's team meets afterwards in any
 * case. */
static status multiply_bf16(const winograd *w, const team *t, size_t begin, size_t end,
    const winograd_stack *a, const winograd_stack *b, const winograd_stack *c) {
    void *scratch = (char *)t->scratch + w->bytes[0] + w->bytes[1] + w->bytes[2];
    status st = STATUS_OK;
    for (size_t p = begin; p < end && st == STATUS_OK; p++)
        st = onednn_product_run(w->product, t->thread, row_at(a->data, p * a->plane, a->type),
            row_at(b->data, p * b->plane, b->type), (float *)c->data + p * c->plane, scratch);
    return st;
}

/* A team gathers tiles, multiplies positions, scatters tiles, and meets between: each element of V,
 * M and Y by one thread. */
status winograd_run(const winograd *w, const team *t, const void *x, void *y, const float *bias) {
    size_t in = (size_t)w->c.channels, n = (size_t)w->c.out_channels, rows = (size_t)w->rows;
    char *at = t->shared;
    winograd_stack v = as_rows(w, at, rows, in, false), u = as_panels(w, w->u, in, n);
    winograd_stack m = as_rows(w, at + w->bytes[0], rows, n, true);
    winograd_image image = image_of(w, x, w->c.channels);
    winograd_end end = {bias, w->f.sum, w->f.relu};
    matrix_shape shape = {.rows = rows, .inner = in, .columns = n};
    size_t row, begin, stop;
    status worst = STATUS_OK;
    team_share(t, positions(w), 1, &begin, &stop);
    for (int first = 0; first < w->map.tiles; first += w->block) {
        winograd_block b = block_at(w, first), mine = share_of(t, &b, &row);
        winograd_stack from = rows_from(m, row), to = rows_from(v, row);
        winograd_gather(&mine, &image, &to);
        team_meet(t);
        status st = STATUS_OK;
        if (w->product)
            st = multiply_bf16(w, t, begin, stop, &v, &u, &m);
        else
            multiply(&shape, begin, stop, &v, &u, &m);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
        winograd_scatter(&mine, &from, &end, w->c.out_channels, w->c.type, y);
    }
    return worst;
}

/* Rows of a block that no tile fills: oneDNN's products are of whole blocks. */
static void clear_rest(const winograd *w, int count, const winograd_stack *s) {
    size_t row = s->row * dtype_size(s->type), left = (size_t)(w->block - count);
    for (size_t p = 0; p < positions(w) && left > 0; p++)
        memset((char *)s->data + p * s->plane * dtype_size(s->type) + (size_t)count * row, 0,
            left * row);
}

/* What a block of tiles gives to the weights' gradient. */
typedef struct block_gradient {
    winograd_stack v, e;
    size_t tiles;
    bool add; /* to the blocks before */
    float *gradient;
} block_gradient;

/* dW (+)= G^T (V^T E) G, some columns at once, which a thread computes alone. `gradient` [9, C, O]
 * is written at columns that no other thread has: no meeting is needed between product and
 * collection. */
static void collect_panels(const winograd *w, const team *t, const block_gradient *b) {
    size_t n = (size_t)w->c.out_channels, begin, end;
    char *third = (char *)t->scratch + w->bytes[0] + w->bytes[1];
    matrix_shape shape = {.rows = (size_t)w->c.channels,
        .inner = b->tiles,
        .columns = WINOGRAD_PANEL,
        .transposed = true};
    winograd_stack panel = b->e, du = as_rows(w, third, shape.rows, columns_at_once(w), true);
    team_share(t, n, WINOGRAD_PANEL, &begin, &end);
    for (size_t o = begin; o < end; o += WINOGRAD_PANEL) {
        size_t left = n - o < WINOGRAD_PANEL ? n - o : WINOGRAD_PANEL;
        panel.data = (float *)b->e.data + o / WINOGRAD_PANEL * b->e.panel;
        multiply(&shape, 0, positions(w), &b->v, &panel, &du);
        winograd_collect(w->map.m, &du, (size_t[3]){shape.rows, left, n}, b->add, b->gradient + o);
    }
}

/* The same in bf16: all columns of some positions, then some columns of all positions. dU is
 * the team's, in the leader's memory: a product fills all columns, of which other threads
 * collect some. */
static status collect_bf16(const winograd *w, const team *t, const block_gradient *b) {
    size_t in = (size_t)w->c.channels, n = (size_t)w->c.out_channels, begin, end;
    char *third = (char *)t->shared + w->bytes[0] + w->bytes[1];
    winograd_stack du = as_rows(w, third, in, n, true);
    team_share(t, positions(w), 1, &begin, &end);
    status st = multiply_bf16(w, t, begin, end, &b->v, &b->e, &du);
    team_meet(t);
    team_share(t, n, WINOGRAD_PANEL, &begin, &end);
    du.data = (float *)du.data + begin;
    if (begin < end)
        winograd_collect(
            w->map.m, &du, (size_t[3]){in, end - begin, n}, b->add, b->gradient + begin);
    return st;
}

status winograd_run_weights(
    const winograd *w, const team *t, const void *x, const void *dy, float *gradient) {
    size_t in = (size_t)w->c.channels, n = (size_t)w->c.out_channels, row;
    char *at = t->shared, *second = at + w->bytes[0];
    winograd_image image = image_of(w, x, w->c.channels);
    winograd_image dimage = image_of(w, dy, w->c.out_channels);
    status worst = STATUS_OK;
    for (int first = 0; first < w->map.tiles; first += w->block) {
        winograd_block b = block_at(w, first), mine = share_of(t, &b, &row);
        /* matrix.h multiplies as many tiles as there are; a product of oneDNN's has one shape. */
        size_t tiles = (size_t)(w->product ? w->block : b.count);
        block_gradient g = {as_rows(w, at, tiles, in, false), as_panels(w, second, tiles, n), tiles,
            first > 0, gradient};
        winograd_stack v = rows_from(g.v, row), e = rows_from(g.e, row);
        winograd_gather(&mine, &image, &v);
        winograd_expand(&mine, &dimage, &e);
        if (w->product && t->rank == 0) {
            clear_rest(w, b.count, &g.v);
            clear_rest(w, b.count, &g.e);
        }
        team_meet(t);
        if (w->product) {
            status st = collect_bf16(w, t, &g);
            if (st != STATUS_OK) worst = st;
        } else {
            collect_panels(w, t, &g);
        }
        team_meet(t);
    }
    return worst;
}
