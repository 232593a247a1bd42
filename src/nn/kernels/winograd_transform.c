/* The transforms, in one dimension each, applied to columns and then to rows; sixteen channels at
 * once. Macros make the loops, for which the compiler must know tile and transform.
 *
 * Names: input (B^T), output (A^T), expand (A), weight (G), collect (G^T), each for m = 2 and m =
 * 4. A sum over channels is never part of a transform: sixteen channels stay sixteen lanes from the
 * map to the matrix, and neither team nor block changes an element.
 *
 * Of the three matrices the rows and columns are short sums with shared parts, written out here by
 * hand: pairs of points +-p give an even and an odd part, of which one point is the sum and the
 * other one the difference. How they are added is part of the result: another order of operations,
 * or other points, give other bits of every network that was trained with these.
 *
 * The names r and d: a result and its data. s is the distance of their elements, so that the same
 * function runs down a column and along a row. */
#include "src/nn/kernels/winograd_transform.h"

#include "src/base/vector.h"
#include "src/nn/kernels/lanes.h"

enum { KERNEL = 3, MOST = WINOGRAD_ALPHA * WINOGRAD_ALPHA };

/* ---- one dimension: r and d step by s elements ---- */

/* m = 2: the points 0, 1, -1 and infinity, the paper's. */
LANES_INLINE void input_2(const lanes *d, size_t s, lanes *r) {
    r[0] = d[0] - d[2 * s];
    r[s] = d[s] + d[2 * s];
    r[2 * s] = d[2 * s] - d[s];
    r[3 * s] = d[s] - d[3 * s];
}

LANES_INLINE void output_2(const lanes *d, size_t s, lanes *r) {
    r[0] = d[0] + d[s] + d[2 * s];
    r[s] = d[s] - d[2 * s] - d[3 * s];
}

/* output_2 transposed. */
LANES_INLINE void expand_2(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s];
    r[0] = a;
    r[s] = a + b;
    r[2 * s] = a - b;
    r[3 * s] = -b;
}

LANES_INLINE void weight_2(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s], c = d[2 * s];
    r[0] = a;
    r[s] = (a + c + b) * 0.5f;
    r[2 * s] = (a + c - b) * 0.5f;
    r[3 * s] = c;
}

/* weight_2 transposed. */
LANES_INLINE void collect_2(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s], c = d[2 * s], e = d[3 * s];
    r[0] = a + (b + c) * 0.5f;
    r[s] = (b - c) * 0.5f;
    r[2 * s] = (b + c) * 0.5f + e;
}

/* m = 4: the points 0, +-P, +-Q and infinity. Those of the paper, 1 and 2, lose twice as much to
 * rounding (relative error over 256 channels 2.6e-6, with these 1.2e-6, direct 2e-7); these are
 * exact in few bits. PP: P^2, and so on; NP = 2 P^2 (P^2 - Q^2), NQ = 2 Q^2 (Q^2 - P^2). */
static const float P = 0.625f, Q = 1.5f, PP = 0.390625f, QQ = 2.25f, PPP = 0.244140625f,
                   QQQ = 3.375f, PP_QQ = 0.87890625f, PP_AND_QQ = 2.640625f;
static const float NP = 2 * 0.390625f * (0.390625f - 2.25f), NQ = 2 * 2.25f * (2.25f - 0.390625f);

LANES_INLINE void input_4(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s], c = d[2 * s], e = d[3 * s], f = d[4 * s], g = d[5 * s];
    lanes even_p = f - QQ * c, odd_p = P * (e - QQ * b), even_q = f - PP * c;
    lanes odd_q = Q * (e - PP * b);
    r[0] = PP_QQ * a - PP_AND_QQ * c + f;
    r[s] = even_p + odd_p;
    r[2 * s] = even_p - odd_p;
    r[3 * s] = even_q + odd_q;
    r[4 * s] = even_q - odd_q;
    r[5 * s] = PP_QQ * b - PP_AND_QQ * e + g;
}

LANES_INLINE void output_4(const lanes *d, size_t s, lanes *r) {
    lanes sum_p = d[s] + d[2 * s], difference_p = d[s] - d[2 * s];
    lanes sum_q = d[3 * s] + d[4 * s], difference_q = d[3 * s] - d[4 * s];
    r[0] = d[0] + sum_p + sum_q;
    r[s] = P * difference_p + Q * difference_q;
    r[2 * s] = PP * sum_p + QQ * sum_q;
    r[3 * s] = PPP * difference_p + QQQ * difference_q + d[5 * s];
}

/* output_4 transposed. */
LANES_INLINE void expand_4(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s], c = d[2 * s], e = d[3 * s];
    lanes even_p = a + PP * c, odd_p = P * b + PPP * e;
    lanes even_q = a + QQ * c, odd_q = Q * b + QQQ * e;
    r[0] = a;
    r[s] = even_p + odd_p;
    r[2 * s] = even_p - odd_p;
    r[3 * s] = even_q + odd_q;
    r[4 * s] = even_q - odd_q;
    r[5 * s] = e;
}

/* What the other transforms do not have, the divisors of the interpolation (NP, NQ, PP_QQ), is
 * here and in the adjoint: the weights' transform is done once a packing, those of tiles for
 * every tile. */
LANES_INLINE void weight_4(const lanes *d, size_t s, lanes *r) {
    lanes a = d[0], b = d[s], c = d[2 * s];
    lanes even_p = (a + PP * c) * (1 / NP), odd_p = b * (P / NP);
    lanes even_q = (a + QQ * c) * (1 / NQ), odd_q = b * (Q / NQ);
    r[0] = a * (1 / PP_QQ);
    r[s] = even_p + odd_p;
    r[2 * s] = even_p - odd_p;
    r[3 * s] = even_q + odd_q;
    r[4 * s] = even_q - odd_q;
    r[5 * s] = c;
}

/* weight_4 transposed. */
LANES_INLINE void collect_4(const lanes *d, size_t s, lanes *r) {
    lanes sum_p = (d[s] + d[2 * s]) * (1 / NP), difference_p = (d[s] - d[2 * s]) * (P / NP);
    lanes sum_q = (d[3 * s] + d[4 * s]) * (1 / NQ);
    lanes difference_q = (d[3 * s] - d[4 * s]) * (Q / NQ);
    r[0] = d[0] * (1 / PP_QQ) + sum_p + sum_q;
    r[s] = difference_p + difference_q;
    r[2 * s] = PP * sum_p + QQ * sum_q + d[5 * s];
}

/* ---- two dimensions: columns, then rows. d, r: rows of WINOGRAD_ALPHA ---- */

enum { S = WINOGRAD_ALPHA };
typedef void (*transform)(const lanes *d, size_t s, lanes *r);

/* [from, from] elements to [to, to]. Columns first: `half` has `to` rows of `from` columns. */
LANES_INLINE void both(transform f, int from, int to, const lanes *d, lanes *r) {
    lanes half[MOST];
    for (int x = 0; x < from; x++) f(d + x, S, half + x);
    for (int y = 0; y < to; y++) f(half + y * S, 1, r + y * S);
}

/* Element 0 of each position of a tile, or of what is outside. size x size pixels whose first
 * stands `begin` (dilated) pixels from the tile's origin, in both directions: -1 for inputs, 0 for
 * outputs. row: bytes of a pixel. zero: for pixels outside; NULL where they are to be left out. */
static void find_pixels(const winograd_block *b, int tile, int size, int begin, const void *x,
    size_t row, const void *zero, const char *pixel[MOST]) {
    const winograd_map *m = b->map;
    const int32_t *origin = m->origin[b->first + tile];
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) {
            int y = origin[0] + (i + begin) * m->dilation,
                z = origin[1] + (j + begin) * m->dilation;
            bool inside = y >= 0 && y < m->height && z >= 0 && z < m->width;
            size_t at = inside ? ((size_t)y * (size_t)m->width + (size_t)z) * row : 0;
            pixel[i * size + j] = inside ? (const char *)x + at : zero;
        }
}

/* Element (0, row, column). */
LANES_INLINE size_t place(const winograd_stack *s, size_t row, size_t column) {
    return column / WINOGRAD_PANEL * s->panel + row * s->row + column % WINOGRAD_PANEL;
}

/* alpha x alpha positions of one row and sixteen columns. */
LANES_INLINE void load_stack(const winograd_stack *s, size_t at, int alpha, lanes *d) {
    for (int y = 0; y < alpha; y++)
        for (int z = 0; z < alpha; z++)
            d[y * S + z] = lanes_load(s->data, (size_t)(y * alpha + z) * s->plane + at, DTYPE_F32);
}

LANES_INLINE void store_as(
    const winograd_stack *s, size_t at, int alpha, const lanes *r, dtype type) {
    size_t plane = s->plane; /* what is stored might be s itself, for all that is known */
    char *to = (char *)s->data + at * dtype_size(type);
    for (int y = 0; y < alpha; y++)
        for (int z = 0; z < alpha; z++)
            lanes_store(to, (size_t)(y * alpha + z) * plane, r[y * S + z], type);
}

/* One question for all positions. */
LANES_INLINE void store_stack(const winograd_stack *s, size_t at, int alpha, const lanes *r) {
    if (s->type == DTYPE_F32)
        store_as(s, at, alpha, r, DTYPE_F32);
    else
        store_as(s, at, alpha, r, DTYPE_BF16);
}

/* Tiles [from, from] of x, transformed to [to, to]. Pixels outside are read as zeros: the padding
 * of the convolution, and of gradients what a tile has beyond the map. */
#define TO_POSITIONS(name, f, from, to, begin)                                                     \
    VECTOR_CLONES static void name(                                                                \
        const winograd_block *b, const winograd_image *x, const winograd_stack *v) {               \
        const char *pixel[MOST];                                                                   \
        size_t channels = (size_t)x->channels, row = channels * dtype_size(x->type);               \
        for (int i = 0; i < b->count; i++) {                                                       \
            find_pixels(b, i, from, begin, x->data, row, x->zero, pixel);                          \
            for (size_t c = 0; c < channels; c += LANES) {                                         \
                lanes d[MOST], r[MOST];                                                            \
                for (int y = 0; y < (from); y++)                                                   \
                    for (int z = 0; z < (from); z++)                                               \
                        d[y * S + z] = lanes_load(pixel[y * (from) + z], c, x->type);              \
                both(f, from, to, d, r);                                                           \
                store_stack(v, place(v, (size_t)i, c), to, r);                                     \
            }                                                                                      \
        }                                                                                          \
    }
TO_POSITIONS(gather_2, input_2, 4, 4, -1)
TO_POSITIONS(gather_4, input_4, 6, 6, -1)
TO_POSITIONS(spread_2, expand_2, 2, 4, 0)
TO_POSITIONS(spread_4, expand_4, 4, 6, 0)

void winograd_gather(const winograd_block *b, const winograd_image *x, const winograd_stack *v) {
    (b->map->m == 2 ? gather_2 : gather_4)(b, x, v);
}

void winograd_expand(const winograd_block *b, const winograd_image *dy, const winograd_stack *v) {
    (b->map->m == 2 ? spread_2 : spread_4)(b, dy, v);
}

/* In the order of a direct convolution's post-ops: bias, sum, ReLU, in fp32, and rounded once. */
LANES_INLINE void finish(const winograd_end *e, lanes v, void *y, size_t c, dtype t) {
    if (e->bias) v += lanes_load(e->bias, c, DTYPE_F32);
    if (e->sum) v += lanes_load(y, c, t);
    if (e->relu) v = lanes_relu(v);
    lanes_store(y, c, v, t);
}

/* Outputs of a tile beyond the map are computed, and not stored. Tiles do not overlap: no two
 * threads write to the same pixel. */
#define FROM_POSITIONS(name, f, alpha, m)                                                          \
    VECTOR_CLONES static void name(const winograd_block *b, const winograd_stack *x,               \
        const winograd_end *e, size_t channels, dtype t, void *y) {                                \
        const char *pixel[MOST];                                                                   \
        for (int i = 0; i < b->count; i++) {                                                       \
            find_pixels(b, i, m, 0, y, channels *dtype_size(t), NULL, pixel);                      \
            for (size_t c = 0; c < channels; c += LANES) {                                         \
                lanes d[MOST], r[MOST];                                                            \
                load_stack(x, place(x, (size_t)i, c), alpha, d);                                   \
                both(f, alpha, m, d, r);                                                           \
                for (int v = 0; v < (m); v++)                                                      \
                    for (int z = 0; z < (m); z++)                                                  \
                        if (pixel[v * (m) + z])                                                    \
                            finish(e, r[v * S + z], (char *)(uintptr_t)pixel[v * (m) + z], c, t);  \
            }                                                                                      \
        }                                                                                          \
    }
FROM_POSITIONS(scatter_2, output_2, 4, 2)
FROM_POSITIONS(scatter_4, output_4, 6, 4)

void winograd_scatter(const winograd_block *b, const winograd_stack *m, const winograd_end *e,
    int channels, dtype t, void *y) {
    (b->map->m == 2 ? scatter_2 : scatter_4)(b, m, e, (size_t)channels, t, y);
}

/* ---- weights ---- */

/* The nine weights of sixteen outputs of channel c. Weights of a channel lie nine by nine, outputs
 * far from each other: eight of the nine are brought into lanes by transposing, the last one by
 * one. Transposed kernels are reversed as they are read. */
LANES_INLINE void load_weights(const winograd_kernel *k, size_t c, size_t o, lanes d[MOST]) {
    enum { TAPS = KERNEL * KERNEL, HALF = LANES / 2 };
    size_t channels = (size_t)k->channels, out_channels = (size_t)k->out_channels;
    size_t step = TAPS * (k->transposed ? 1 : channels);
    const float *from = k->w + TAPS * (k->transposed ? c * out_channels + o : o * channels + c);
    lanes_8 tap[2][HALF];
    float last[LANES];
    for (size_t h = 0; h < 2; h++) {
        for (size_t l = 0; l < HALF; l++) {
            const float *at = from + (h * HALF + l) * step;
            memcpy(&tap[h][l], at, sizeof tap[h][l]);
            last[h * HALF + l] = at[TAPS - 1];
        }
        lanes_transpose(tap[h]);
    }
    for (int i = 0; i < TAPS; i++) {
        int to = k->transposed ? TAPS - 1 - i : i;
        d[to / KERNEL * S + to % KERNEL] =
            i == TAPS - 1 ? lanes_load(last, 0, DTYPE_F32)
                          : __builtin_shufflevector(tap[0][i], tap[1][i], 0, 1, 2, 3, 4, 5, 6, 7, 8,
                                9, 10, 11, 12, 13, 14, 15);
    }
}

/* A thread's outputs, all channels: lanes are outputs here, not channels. */
#define WEIGHTS(name, f, alpha)                                                                    \
    VECTOR_CLONES static void name(                                                                \
        const winograd_kernel *k, size_t begin, size_t end, const winograd_stack *u) {             \
        for (size_t o = begin; o < end; o += LANES)                                                \
            for (size_t c = 0; c < (size_t)k->channels; c++) {                                     \
                lanes d[MOST], r[MOST];                                                            \
                load_weights(k, c, o, d);                                                          \
                both(f, KERNEL, alpha, d, r);                                                      \
                store_stack(u, place(u, c, o), alpha, r);                                          \
            }                                                                                      \
    }
WEIGHTS(weights_2, weight_2, 4)
WEIGHTS(weights_4, weight_4, 6)

void winograd_weights(
    int m, const winograd_kernel *k, int begin, int end, const winograd_stack *u) {
    (m == 2 ? weights_2 : weights_4)(k, (size_t)begin, (size_t)end, u);
}

/* Lanes are outputs. `add` is the last addition: blocks are summed in their order. */
#define COLLECT(name, f, alpha)                                                                    \
    VECTOR_CLONES static void name(                                                                \
        const winograd_stack *du, const size_t shape[3], bool add, float *dw) {                    \
        for (size_t c = 0; c < shape[0]; c++)                                                      \
            for (size_t o = 0; o < shape[1]; o += LANES) {                                         \
                lanes d[MOST], r[MOST];                                                            \
                load_stack(du, place(du, c, o), alpha, d);                                         \
                both(f, alpha, KERNEL, d, r);                                                      \
                for (size_t k = 0; k < KERNEL * KERNEL; k++) {                                     \
                    lanes v = r[k / KERNEL * S + k % KERNEL];                                      \
                    size_t at = (k * shape[0] + c) * shape[2] + o;                                 \
                    if (add) v += lanes_load(dw, at, DTYPE_F32);                                   \
                    lanes_store(dw, at, v, DTYPE_F32);                                             \
                }                                                                                  \
            }                                                                                      \
    }
COLLECT(collect_all_2, collect_2, 4)
COLLECT(collect_all_4, collect_4, 6)

void winograd_collect(int m, const winograd_stack *du, const size_t shape[3], bool add, float *dw) {
    (m == 2 ? collect_all_2 : collect_all_4)(du, shape, add, dw);
}
