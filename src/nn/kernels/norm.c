/* Loops over channels, LANES32 at a time, of a few rows together. Channels are cut into pieces
 * whose constants and sums stay in the first-level cache, ordered as lanes are (lanes32.h).
 *
 * The inner loops are inlined with type, width and ReLU as constants. A loop over channels is
 * outside of one over a few rows: constants and sums of 32 channels stay in registers for so many
 * rows, and rows are few enough for the caches to hold them until the next channels come.
 *
 * A team cuts channels for sums, pixels for maps. Neither changes an element: a channel's sums run
 * over all pixels in their order, by one thread. */
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes32.h"
#include "src/nn/kernels/layers.h"

#include <math.h>

enum {
    BLOCK = 32,  /* rows whose fp32 sums are short enough to be added to float64 ones */
    TOGETHER = 8 /* rows of one loop over channels */
};

/* Channels first .. first + m - 1 of `stride`, at most up to `end`, from the row on whose piece
 * begins at element `at`.
 */
typedef struct piece {
    size_t first, m, stride, end, at;
} piece;

/* Begin with {.first, .stride = C, .end}: whole multiples of LANES32, then what is left; false when
 * there is none.
 */
static bool next_piece(piece *p) {
    size_t left = p->end - (p->first += p->m);
    p->m = left < LANES32 ? left : (left < ROW ? left : ROW) / LANES32 * LANES32;
    p->at = p->first;
    return left > 0;
}

static piece piece_of(int channels, layer_part part) {
    return (piece){
        .first = (size_t)part.begin, .stride = (size_t)channels, .end = (size_t)part.end};
}

/* f(..., elements a step, t), which the compiler knows in all pieces but the last. */
#define PIECE(p, t, f, ...)                                                                        \
    do {                                                                                           \
        if ((p).m >= LANES32)                                                                      \
            ROW_TYPED(t, f, p, __VA_ARGS__, LANES32);                                              \
        else                                                                                       \
            ROW_TYPED(t, f, p, __VA_ARGS__, (p).m);                                                \
    } while (0)

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Channels, or the lanes that hold fewer. */
ROW_INLINE size_t lanes_of(piece p) {
    return p.m < LANES32 ? LANES32 : p.m;
}

/* A piece's constants, ordered; zeros for lanes without a channel. */
static void order(piece p, const float *from, float to[ROW], dtype t) {
    if (p.m < LANES32) memset(to, 0, LANES32 * sizeof *to);
    for (size_t c = 0; c < p.m; c++) to[lanes32_place(c, t)] = from[p.first + c];
}

/* total += sum, which becomes 0. */
ROW_INLINE void flush(piece p, float sum[ROW], double total[ROW]) {
    for (size_t c = 0; c < lanes_of(p); c++) {
        total[c] += sum[c];
        sum[c] = 0;
    }
}

/* ---- moments ---- */

/* sum = x - centre, square = (x - centre)^2, of a block. */
ROW_INLINE void deviations(piece p, const void *x, size_t rows, const float centre[ROW],
    float sum[ROW], float square[ROW], size_t count, dtype t) {
    memset(sum, 0, lanes_of(p) * sizeof *sum);
    memset(square, 0, lanes_of(p) * sizeof *square);
    for (size_t n; rows > 0; rows -= n, p.at += n * p.stride) {
        n = least(rows, TOGETHER);
        for (size_t c = 0; c < p.m; c += LANES32) {
            lanes32 o = lanes32_get(centre, c);
            lanes32 s = lanes32_get(sum, c), q = lanes32_get(square, c);
            for (size_t k = 0; k < n; k++) {
                lanes32 a = lanes32_load(x, p.at + k * p.stride + c, count, t);
                LANES32_LOOP {
                    lanes d = a.v[h] - o.v[h];
                    s.v[h] += d;
                    q.v[h] += d * d;
                }
            }
            lanes32_set(sum, c, s);
            lanes32_set(square, c, q);
        }
    }
}

/* Deviations of a block are taken from the mean of the block before: what cancels is bounded by
 * the variance between blocks, however large the mean, for
 * sum_b (mean_b - mean_(b-1))^2 <= 4 sum_b (mean_b - mean)^2. */
ROW_INLINE void piece_moments(
    piece p, const void *x, size_t pixels, double *mean, double *m2, size_t count, dtype t) {
    /* s1, s2: sums of x - origin and of its square, in float64; origin is the first block's mean,
     * so that they stay small however large the mean is. */
    float centre[ROW] = {0}, origin[ROW], sum[ROW], square[ROW];
    double s1[ROW] = {0}, s2[ROW] = {0};
    size_t rows = least(pixels, BLOCK), m = lanes_of(p);
    deviations(p, x, rows, centre, sum, square, count, t);
    for (size_t c = 0; c < m; c++) origin[c] = centre[c] = sum[c] / (float)rows;
    for (size_t i = 0; i < pixels; i += rows, p.at += rows * p.stride) {
        rows = least(pixels - i, BLOCK);
        deviations(p, x, rows, centre, sum, square, count, t);
        double n = (double)rows;
        for (size_t c = 0; c < m; c++) {
            double off = (double)centre[c] - (double)origin[c], s = sum[c];
            s1[c] += s + n * off;
            s2[c] += square[c] + off * (2 * s + n * off);
            centre[c] += sum[c] / (float)rows;
        }
    }
    for (size_t c = 0; c < p.m; c++) {
        size_t at = lanes32_place(c, t);
        double off = s1[at] / (double)pixels;
        mean[p.first + c] = origin[at] + off;
        /* Rounding could make it slightly negative, and its root not a number. */
        m2[p.first + c] = fmax(0, s2[at] - off * s1[at]);
    }
}

VECTOR_CLONES void layer_moments(const void *x, size_t pixels, int channels, layer_part part,
    dtype t, double *mean, double *m2) {
    for (piece p = piece_of(channels, part); next_piece(&p);)
        PIECE(p, t, piece_moments, x, pixels, mean, m2);
}

/* ---- sums ---- */

/* fp32 sums of a few rows, then float64: a bias' gradient over a whole map keeps all its bits. */
ROW_INLINE void piece_sums(
    piece p, const void *x, size_t pixels, float *sum, size_t count, dtype t) {
    float part[ROW] = {0};
    double total[ROW] = {0};
    for (size_t n; pixels > 0; pixels -= n, p.at += n * p.stride) {
        n = least(pixels, TOGETHER);
        for (size_t c = 0; c < p.m; c += LANES32) {
            lanes32 s = lanes32_get(part, c);
            for (size_t k = 0; k < n; k++) {
                lanes32 a = lanes32_load(x, p.at + k * p.stride + c, count, t);
                LANES32_LOOP s.v[h] += a.v[h];
            }
            lanes32_set(part, c, s);
        }
        flush(p, part, total);
    }
    for (size_t c = 0; c < p.m; c++) sum[p.first + c] = (float)total[lanes32_place(c, t)];
}

VECTOR_CLONES void layer_channel_sums(
    const void *x, size_t pixels, int channels, dtype t, float *sum) {
    for (piece p = piece_of(channels, (layer_part){0, channels}); next_piece(&p);)
        PIECE(p, t, piece_sums, x, pixels, sum);
}

/* ---- forward ---- */

/* Norm, residual and ReLU in one pass: memory is what they wait for. */
ROW_INLINE void piece_affine(piece p, const layer_norm *l, const void *x, const void *residual,
    void *y, size_t pixels, size_t count, dtype t) {
    float scale[ROW], shift[ROW];
    order(p, l->scale, scale, t);
    order(p, l->shift, shift, t);
    for (; pixels > 0; pixels--, p.at += p.stride)
        for (size_t c = 0; c < p.m; c += LANES32) {
            lanes32 f = lanes32_get(scale, c), b = lanes32_get(shift, c);
            lanes32 a = lanes32_load(x, p.at + c, count, t);
            LANES32_LOOP a.v[h] = a.v[h] * f.v[h] + b.v[h];
            if (residual) {
                lanes32 r = lanes32_load(residual, p.at + c, count, t);
                LANES32_LOOP a.v[h] += r.v[h];
            }
            if (l->relu) LANES32_LOOP a.v[h] = lanes_relu(a.v[h]);
            lanes32_store(y, p.at + c, count, a, t);
        }
}

VECTOR_CLONES void layer_affine(
    const layer_norm *n, const void *x, const void *residual, void *y, size_t pixels, dtype t) {
    for (piece p = piece_of(n->channels, (layer_part){0, n->channels}); next_piece(&p);)
        PIECE(p, t, piece_affine, n, x, residual, y, pixels);
}

/* ---- backward ---- */

/* The gradient where the norm's own ReLU let x pass. */
ROW_INLINE lanes32 own_gradient(lanes32 g, lanes32 x, lanes32 scale, lanes32 shift) {
    LANES32_LOOP g.v[h] =
        (lanes)((lanes_int)g.v[h] & lanes_above(x.v[h] * scale.v[h] + shift.v[h], (lanes){0}));
    return g;
}

/* Maps of the backward pass: the norm's input, the sum's output or NULL, their gradients. */
typedef struct norm_maps {
    const void *x, *y;
    void *dy, *dx; /* sums: dy is read, and written where y is given; gradient: dx is written */
} norm_maps;

/* Of a piece: constants, the fp32 sums since the last flush and the float64 ones, of g and of g (x
 * - mean). */
typedef struct gradient_sums {
    float scale[ROW], shift[ROW], mean[ROW], part[2][ROW];
    double total[2][ROW];
} gradient_sums;

/* Some rows: constants and sums of the channels stay in registers meanwhile. The ReLU of a sum is
 * undone in the same pass, and its gradient stored for the norm's second pass and the other input.
 */
ROW_INLINE void add_gradients(
    piece p, gradient_sums *s, bool relu, norm_maps m, size_t rows, size_t count, dtype t) {
    for (size_t c = 0; c < p.m; c += LANES32) {
        lanes32 scale = lanes32_get(s->scale, c), shift = lanes32_get(s->shift, c);
        lanes32 mean = lanes32_get(s->mean, c);
        lanes32 s0 = lanes32_get(s->part[0], c), s1 = lanes32_get(s->part[1], c);
        for (size_t k = 0; k < rows; k++) {
            size_t i = p.at + k * p.stride + c;
            lanes32 a = lanes32_load(m.x, i, count, t), g = lanes32_load(m.dy, i, count, t);
            if (relu) g = own_gradient(g, a, scale, shift);
            if (m.y) {
                lanes32 o = lanes32_load(m.y, i, count, t);
                LANES32_LOOP g.v[h] = (lanes)((lanes_int)g.v[h] & lanes_above(o.v[h], (lanes){0}));
                lanes32_store(m.dy, i, count, g, t);
            }
            LANES32_LOOP {
                s0.v[h] += g.v[h];
                s1.v[h] += g.v[h] * (a.v[h] - mean.v[h]);
            }
        }
        lanes32_set(s->part[0], c, s0);
        lanes32_set(s->part[1], c, s1);
    }
}

/* x - mean is taken from the mean as a float, which `off` corrects at the end: elements are then
 * never converted to float64. Sums are flushed after BLOCK rows, wherever a team cuts the channels:
 * the order of a channel's additions is always the same. */
ROW_INLINE void piece_norm_sums(
    piece p, const layer_norm *l, norm_maps m, size_t pixels, double *sums, size_t count, dtype t) {
    norm_maps alone = {.x = m.x, .dy = m.dy};
    gradient_sums s = {.total = {{0}}};
    order(p, l->scale, s.scale, t);
    order(p, l->shift, s.shift, t);
    for (size_t c = 0; c < p.m; c++) s.mean[lanes32_place(c, t)] = (float)l->mean[p.first + c];
    for (size_t n, i = 0; i < pixels; i += n, p.at += n * p.stride) {
        n = least(pixels - i, TOGETHER);
        if (m.y)
            add_gradients(p, &s, false, m, n, count, t);
        else if (l->relu)
            add_gradients(p, &s, true, alone, n, count, t);
        else
            add_gradients(p, &s, false, alone, n, count, t);
        if ((i + n) % BLOCK != 0 && i + n < pixels) continue;
        flush(p, s.part[0], s.total[0]);
        flush(p, s.part[1], s.total[1]);
    }
    for (size_t c = 0; c < p.m; c++) {
        size_t at = lanes32_place(c, t), to = p.first + c;
        double off = s.mean[at] - l->mean[to];
        sums[to] = s.total[0][at];
        sums[p.stride + to] = (s.total[1][at] + off * s.total[0][at]) / l->deviation[to];
    }
}

VECTOR_CLONES void layer_norm_sums(const layer_norm *n, layer_part part, const void *x,
    const void *y, void *dy, size_t pixels, dtype t, double *sums) {
    norm_maps m = {.x = x, .y = y, .dy = dy};
    for (piece p = piece_of(n->channels, part); next_piece(&p);)
        PIECE(p, t, piece_norm_sums, n, m, pixels, sums);
}

/* Of a piece: what the ReLU is found again with, and f0, f1, f2 of layer_norm_gradient. */
typedef struct gradient_map {
    float scale[ROW], shift[ROW], f[3][ROW];
} gradient_map;

/* Each element from three factors of its channel. dx may be dy: an element is read before it is
 * written. */
ROW_INLINE void map_gradients(piece p, const gradient_map *m, bool relu, norm_maps of, size_t rows,
    bool add, size_t count, dtype t) {
    for (size_t c = 0; c < p.m; c += LANES32) {
        lanes32 scale = lanes32_get(m->scale, c), shift = lanes32_get(m->shift, c);
        lanes32 f0 = lanes32_get(m->f[0], c), f1 = lanes32_get(m->f[1], c);
        lanes32 f2 = lanes32_get(m->f[2], c);
        for (size_t k = 0; k < rows; k++) {
            size_t i = p.at + k * p.stride + c;
            lanes32 a = lanes32_load(of.x, i, count, t), g = lanes32_load(of.dy, i, count, t);
            lanes32 old = add ? lanes32_load(of.dx, i, count, t) : (lanes32){{{0}}};
            if (relu) g = own_gradient(g, a, scale, shift);
            LANES32_LOOP {
                g.v[h] = f0.v[h] * g.v[h] + f1.v[h] * a.v[h] + f2.v[h];
                if (add) g.v[h] += old.v[h];
            }
            lanes32_store(of.dx, i, count, g, t);
        }
    }
}

ROW_INLINE void piece_norm_gradient(piece p, const layer_norm *l, norm_maps of, size_t pixels,
    const float *factors, bool add, size_t count, dtype t) {
    gradient_map m;
    order(p, l->scale, m.scale, t);
    order(p, l->shift, m.shift, t);
    for (size_t k = 0; k < 3; k++) order(p, factors + k * p.stride, m.f[k], t);
    for (size_t n; pixels > 0; pixels -= n, p.at += n * p.stride) {
        n = least(pixels, TOGETHER);
        if (l->relu)
            map_gradients(p, &m, true, of, n, add, count, t);
        else
            map_gradients(p, &m, false, of, n, add, count, t);
    }
}

VECTOR_CLONES void layer_norm_gradient(const layer_norm *n, const void *x, const void *dy, void *dx,
    size_t pixels, const float *factors, bool add, dtype t) {
    norm_maps of = {.x = x, .dy = (void *)(uintptr_t)dy, .dx = dx};
    for (piece p = piece_of(n->channels, (layer_part){0, n->channels}); next_piece(&p);)
        PIECE(p, t, piece_norm_gradient, n, of, pixels, factors, add);
}
