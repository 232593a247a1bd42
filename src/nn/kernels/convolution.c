/* The choice between oneDNN, Winograd and taps by counted multiplications, and one face for all
 * three: packing of weights, scratch memory, parts for a team, layouts of weight gradients.
 *
 * Costs are in multiplications of a direct convolution. What constants there are (transforms,
 * blocks, the rate of bf16 beside fp32) were measured once, and are part of the source: a
 * measurement at run time would make the choice, and so the bits, depend on the load. */
#include "src/nn/kernels/convolution.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/convolution_parts.h"
#include "src/nn/kernels/lanes.h"
#include "src/nn/kernels/layers.h"
#include "src/nn/kernels/tap_forward.h"
#include "src/nn/kernels/taps.h"
#include "src/nn/kernels/winograd.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 16 }; /* floats of a cache line */

struct convolution {
    conv_shape c; /* the layer's */
    conv_pass pass;
    bool sum, transposed; /* transposed: backward data as a forward convolution */
    bool fp32;            /* the source and the arithmetic are fp32, the outputs c.type */
    int tile;             /* Winograd's m */
    onednn_kernel *direct;
    conv_parts *parts; /* of `direct`, for a team; or NULL */
    winograd *winograd;
    taps *taps;
    tap_forward *by_taps;
};

/* The backward-data pass at stride 1 is a convolution of the gradient with the weights flipped and
 * transposed. It is taken so: oneDNN 2.6 has no fast kernel of its own for dilated ones, and its
 * forward kernels are the faster ones for the others too. */
static conv_shape transposed_shape(const conv_shape *c) {
    return (conv_shape){c->out_height, c->out_width, c->out_channels, c->height, c->width,
        c->channels, c->kernel, 1, c->dilation, c->dilation * (c->kernel - 1) - c->padding, c->type,
        0, 0};
}

/* Beyond that padding would be negative. With a stride the transposed convolution would have gaps
 * in its source. */
static bool can_transpose(const conv_shape *c) {
    return c->stride == 1 && c->padding <= c->dilation * (c->kernel - 1);
}

static size_t area(const conv_shape *c) {
    return (size_t)c->kernel * (size_t)c->kernel;
}

static size_t weight_count(const conv_shape *c) {
    return (size_t)c->out_channels * (size_t)c->channels * area(c);
}

/* ---- the choice ---- */

/* What a multiplication of oneDNN's direct convolution in c->type costs, in those of `products`:
 * products are in fp32 for maps in bf16 only where bf16 is the slower arithmetic. */
static double direct_rate(const conv_shape *c, dtype products) {
    return c->type != products ? 1.5 : 1;
}

/* Forward kernels leave out taps in the padding, oneDNN's or those that stand for it. In
 * multiplications of one image, all channels. */
static double cost_forward(const conv_shape *c, dtype products) {
    return taps_count(c) * c->channels * c->out_channels * direct_rate(c, products);
}

static bool by_tiles(conv_choice choice) {
    return choice.tiles && choice.products == DTYPE_BF16;
}

/* Winograd's m, 0: none, with what it costs. By tiles, of 256 channels on 16 x 16, it took three
 * times as long as the direct kernel, of 512 two and a half, of 64 on 32 x 32 six times. */
static int winograd_tile(const conv_shape *c, conv_choice choice, double *cost) {
    return choice.direct || by_tiles(choice) ? 0 : winograd_choose(c, choice.products, cost);
}

/* Winograd's cost has the transforms in it, in the unit of a direct multiplication. */
static int choose_tile(const conv_shape *c, conv_choice choice) {
    double cost;
    int tile = winograd_tile(c, choice, &cost);
    return tile > 0 && cost < cost_forward(c, choice.products) ? tile : 0;
}

/* Of the direct kernel of shape c, once it is made: what a team runs. */
static status cut(
    convolution *k, status made, const conv_shape *c, parts_of what, conv_choice choice) {
    if (made != STATUS_OK) return made;
    return conv_parts_create(&k->parts, k->direct, c, what, choice.team);
}

static status direct_forward(
    convolution *k, onednn *o, const conv_shape *c, conv_fusion f, conv_choice choice) {
    return cut(k, onednn_forward(&k->direct, o, c, f), c, ROWS_FORWARD, choice);
}

/* c: of the layer, or the same in fp32. */
static status direct_weights(convolution *k, onednn *o, const conv_shape *c, conv_choice choice) {
    return cut(k, onednn_backward_weights(&k->direct, o, c), c, CHANNELS_OF_WEIGHTS, choice);
}

static bool is_large(const conv_shape *c) {
    enum { CHANNELS = 128 };
    return c->channels >= CHANNELS && c->out_channels >= CHANNELS;
}

/* Whether taps beat one product of whole maps, or leave out enough of them. By tiles the products
 * are too fast for what is left out to matter: oneDNN's weight gradients of dilated kernels take
 * twice as long as taps, others as long, but they cannot add a unit's images as they go, which
 * tells from 128 channels on. */
static bool taps_pay(const conv_shape *c, conv_choice choice) {
    if (c->kernel == 1) return true; /* nothing to leave out, but one product */
    if (!by_tiles(choice)) return taps_count(c) < 0.7 * taps_all(c);
    return c->dilation > 1 || (is_large(c) && choice.unit > 1);
}

/* How a weights' gradient is computed. */
typedef struct weights_way {
    int tile; /* Winograd's m; 0: not by it */
    bool taps;
} weights_way;

/* Weight gradients of oneDNN multiply padding, too, and those of dilated kernels are slow. */
static weights_way choose_weights(const conv_shape *c, conv_choice choice) {
    double cost, each = (double)c->channels * c->out_channels;
    weights_way way = {.tile = winograd_tile(c, choice, &cost)};
    /* Every image has a dU of its own, written and read. */
    if (way.tile > 0) cost += 12.0 * (way.tile + 2) * (way.tile + 2) * each;
    double valid = taps_count(c) * each, direct = taps_all(c) * each;
    /* The rectangles of taps are of neighbouring pixels: stride 1 alone. */
    way.taps = c->stride == 1 && !choice.direct && taps_pay(c, choice);
    double least = way.taps ? valid : direct * direct_rate(c, choice.products);
    if (way.tile > 0 && cost < least)
        way.taps = false;
    else
        way.tile = 0;
    return way;
}

static bool computes_in_fp32(const conv_shape *c, conv_choice choice) {
    return choice.fp32 && c->type != DTYPE_F32;
}

/* Where a gradient is too small for memory to count, and has few pieces, one image a thread is as
 * good, and busies more threads. */
bool convolution_takes_units(const conv_shape *c, conv_choice choice) {
    return choice.unit > 1 && is_large(c) && !computes_in_fp32(c, choice) &&
           choose_weights(c, choice).taps;
}

/* Parts of a tap's channels: more than threads, as they seldom divide, but of 32 channels or more.
 */
static int unit_parts(const conv_shape *c, int threads) {
    int most = c->channels / 32;
    return threads == 1 ? 1 : 4 * threads < most ? 4 * threads : most;
}

static status create_weights(convolution *k, onednn *o, conv_choice choice) {
    const conv_shape *c = &k->c;
    weights_way way = choose_weights(c, choice);
    bool unit = convolution_takes_units(c, choice);
    k->tile = way.tile;
    if (way.tile > 0)
        return winograd_backward_weights(&k->winograd, o, c, k->tile, choice.products);
    if (!way.taps) return direct_weights(k, o, c, choice);
    const taps_options t = {.products = choice.products,
        .most = unit ? unit_parts(c, choice.threads) : choice.team,
        .images = unit,
        .narrow = choice.narrow};
    return taps_create(&k->taps, o, c, t);
}

/* What oneDNN's direct kernel for AVX2 does not take, it does by a product of a gathered matrix. */
static bool lacks_direct(const conv_shape *c, conv_choice choice) {
    enum { DIRECT_PADDING = 3 };
    return choice.narrow && !choice.direct && c->padding > DIRECT_PADDING && tap_forward_fits(c);
}

/* c: the layer's shape or, of a transposed backward pass, the one that it has there. */
static status create_forward(
    convolution *k, onednn *o, const conv_shape *c, conv_fusion f, conv_choice choice) {
    k->tile = choose_tile(c, choice);
    if (k->tile == 0 && lacks_direct(c, choice)) return tap_forward_create(&k->by_taps, c, f);
    return k->tile > 0 ? winograd_forward(&k->winograd, o, c, f, k->tile, choice.products)
                       : direct_forward(k, o, c, f, choice);
}

static status create_data(convolution *k, onednn *o, conv_choice choice) {
    k->transposed = can_transpose(&k->c);
    if (!k->transposed)
        return cut(
            k, onednn_backward_data(&k->direct, o, &k->c), &k->c, ROWS_BACKWARD_DATA, choice);
    conv_shape t = transposed_shape(&k->c);
    conv_fusion f = {.sum = k->sum, .transposed = true};
    return create_forward(k, o, &t, f, choice);
}

/* The arithmetic is the direct kernel's in fp32, whatever the network's type; the other side of the
 * convolution is converted in the team's memory (fp32_bytes). */
static status create_fp32(convolution *k, onednn *o, conv_fusion f, conv_choice choice) {
    conv_shape c = k->c;
    c.type = DTYPE_F32;
    return k->pass == CONV_FORWARD ? direct_forward(k, o, &c, f, choice)
                                   : direct_weights(k, o, &c, choice);
}

/* The fp32 image of a bf16 network goes to direct kernels alone: its three channels leave nothing
 * to Winograd. */
status convolution_create(convolution **out, onednn *o, const conv_shape *c, conv_pass pass,
    conv_fusion f, conv_choice choice) {
    convolution *k = memory_alloc(1, sizeof *k, "convolution");
    if (!k) return STATUS_FAILED;
    *k = (convolution){.c = *c, .pass = pass, .sum = f.sum};
    k->fp32 = computes_in_fp32(c, choice);
    status st = k->fp32                      ? create_fp32(k, o, f, choice)
                : pass == CONV_FORWARD       ? create_forward(k, o, c, f, choice)
                : pass == CONV_BACKWARD_DATA ? create_data(k, o, choice)
                                             : create_weights(k, o, choice);
    if (st != STATUS_OK) {
        convolution_destroy(k);
        return st;
    }
    *out = k;
    return STATUS_OK;
}

void convolution_destroy(convolution *k) {
    if (!k) return;
    conv_parts_destroy(k->parts);
    onednn_kernel_destroy(k->direct);
    winograd_destroy(k->winograd);
    taps_destroy(k->taps);
    tap_forward_destroy(k->by_taps);
    memory_free(k);
}

bool convolution_adds(const convolution *k) {
    return k->pass == CONV_FORWARD || k->transposed;
}

void convolution_describe(const convolution *k, char *text, size_t size) {
    if (k->winograd)
        snprintf(text, size, "winograd %d", k->tile);
    else
        snprintf(text, size, "%s", k->taps || k->by_taps ? "taps" : "direct");
}

static size_t outputs(const conv_shape *c) {
    return (size_t)c->out_height * (size_t)c->out_width * (size_t)c->out_channels;
}

/* The outputs in fp32, or their gradient. */
static size_t fp32_bytes(const convolution *k) {
    enum { ALIGNMENT = 64 };
    size_t bytes = k->fp32 ? outputs(&k->c) * sizeof(float) : 0;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A team in parts may need more a thread than one thread for the whole. */
static size_t direct_scratch(const convolution *k) {
    size_t whole = onednn_scratch(k->direct), parts = k->parts ? conv_parts_scratch(k->parts) : 0;
    return fp32_bytes(k) + (whole > parts ? whole : parts);
}

size_t convolution_scratch(const convolution *k) {
    return k->direct     ? direct_scratch(k)
           : k->winograd ? winograd_scratch(k->winograd)
           : k->taps     ? taps_scratch(k->taps)
                         : 0;
}

size_t convolution_bytes(const convolution *k) {
    return k->direct     ? onednn_bytes(k->direct)
           : k->winograd ? winograd_bytes(k->winograd)
           : k->by_taps  ? tap_forward_bytes(k->by_taps)
                         : 0;
}

/* Winograd flips the weights as it transforms them, and so do taps; oneDNN needs them flipped. */
size_t convolution_work(const convolution *k) {
    return k->direct && k->transposed && k->c.kernel > 1 ? weight_count(&k->c) : 0;
}

/* oneDNN's layout may pad channels; the others are [k^2, C, O]. */
size_t convolution_gradient_count(const convolution *k) {
    return k->direct ? onednn_gradient_count(k->direct) : weight_count(&k->c);
}

/* ---- weights ---- */

/* Rows and columns in reverse. w and `to` [O, C, k, k]. */
static void flip(const conv_shape *c, const float *w, float *to) {
    size_t n = area(c), count = weight_count(c);
    for (size_t i = 0; i < count; i += n)
        for (size_t k = 0; k < n; k++) to[i + k] = w[i + n - 1 - k];
}

size_t convolution_packed_bytes(const convolution *k) {
    return k->winograd && k->pass != CONV_BACKWARD_WEIGHTS ? winograd_packed_bytes(k->winograd) : 0;
}

void convolution_place(convolution *k, void *packed) {
    winograd_place(k->winograd, packed);
}

/* oneDNN reorders by one thread; what is packed by us is shared out. */
status convolution_pack(convolution *k, int thread, int threads, const float *weight, float *work) {
    if (k->winograd) {
        winograd_pack(k->winograd, thread, threads, weight);
        return STATUS_OK;
    }
    if (k->by_taps) {
        tap_forward_pack(k->by_taps, thread, threads, weight);
        return STATUS_OK;
    }
    if (thread != 0) return STATUS_OK;
    bool reverse = k->transposed && k->c.kernel > 1;
    if (reverse) flip(&k->c, weight, work);
    return onednn_pack(k->direct, omp_get_thread_num(), reverse ? work : weight);
}

/* Elements of an output in the order of [O, C, k^2], found in packed [k^2, C, O]. */
typedef struct unpacking {
    const float *packed;
    size_t at; /* of the next element's line of outputs */
    size_t tap, taps, tap_step, channel_step;
} unpacking;

LANES_INLINE const float *next_line(unpacking *u) {
    const float *line = u->packed + u->at;
    u->at += u->tap_step;
    if (++u->tap == u->taps) {
        u->tap = 0;
        u->at = u->at + u->channel_step - u->taps * u->tap_step;
    }
    return line;
}

/* Outputs o .. o + 15 of the elements q .. q + 7: whole lines are read, and stores are of eight. */
LANES_INLINE void transpose_block(const float *const line[8], size_t o, size_t each, float *to) {
    for (size_t h = 0; h < LINE; h += 8) {
        lanes_8 block[8];
        for (size_t i = 0; i < 8; i++) memcpy(&block[i], line[i] + o + h, sizeof block[i]);
        lanes_transpose(block);
        for (size_t l = 0; l < 8; l++) memcpy(to + (o + h + l) * each, &block[l], sizeof block[l]);
    }
}

/* Outputs begin .. end - 1, a line of them at a time: few rows are written at once. */
VECTOR_CLONES static void transpose(
    const conv_shape *c, const float *packed, size_t begin, size_t end, float *weight) {
    size_t all = area(c), in = (size_t)c->channels, out = (size_t)c->out_channels;
    size_t each = all * in;
    for (size_t o = begin; o < end; o += LINE) {
        unpacking u = {packed, 0, 0, all, in * out, out};
        for (size_t q = 0; q < each; q += 8) {
            size_t count = each - q < 8 ? each - q : 8;
            const float *line[8] = {0};
            for (size_t i = 0; i < count; i++) line[i] = next_line(&u);
            if (count == 8 && o + LINE <= end) {
                transpose_block(line, o, each, weight + q);
                continue;
            }
            for (size_t l = o; l < end && l < o + LINE; l++)
                for (size_t i = 0; i < count; i++) weight[l * each + q + i] = line[i][l];
        }
    }
}

status convolution_unpack(
    convolution *k, int thread, int threads, const float *packed, float *weight) {
    size_t out = (size_t)k->c.out_channels, t = (size_t)thread, n = (size_t)threads;
    if (k->direct)
        return thread == 0 ? onednn_unpack(k->direct, omp_get_thread_num(), packed, weight)
                           : STATUS_OK;
    transpose(&k->c, packed, out * t / n, out * (t + 1) / n, weight);
    return STATUS_OK;
}

/* ---- execution ---- */

/* By a team in parts, or by its leader. Scratch memory begins behind the fp32 outputs, which stand
 * at the front of the leader's. */
static status run_direct(
    const convolution *k, const team *t, const void *x, void *y, const float *bias) {
    void *scratch = (char *)t->scratch + fp32_bytes(k);
    if (t->size > 1 && k->parts) return conv_parts_run(k->parts, t, x, y, bias, scratch);
    return t->rank == 0 ? onednn_run(k->direct, t->thread, x, y, bias, scratch) : STATUS_OK;
}

static status run_direct_weights(
    const convolution *k, const team *t, const void *x, const void *dy, float *packed) {
    void *scratch = (char *)t->scratch + fp32_bytes(k);
    if (t->size > 1 && k->parts) return conv_parts_run_weights(k->parts, t, x, dy, packed, scratch);
    return t->rank == 0 ? onednn_run_weights(k->direct, t->thread, x, dy, packed, scratch)
                        : STATUS_OK;
}

/* Outputs in fp32 wait in the team's memory until all rows of them are there. */
status convolution_run(
    const convolution *k, const team *t, const void *x, void *y, const float *bias) {
    if (k->winograd) return winograd_run(k->winograd, t, x, y, bias);
    if (k->by_taps) {
        tap_forward_run(k->by_taps, t, x, y, bias);
        return STATUS_OK;
    }
    if (!k->fp32) return run_direct(k, t, x, y, bias);
    float *plain = t->shared;
    size_t begin, end;
    status st = run_direct(k, t, x, plain, bias);
    team_meet(t);
    team_share(t, outputs(&k->c), LINE, &begin, &end);
    layer_convert_in(plain + begin, row_at(y, begin, k->c.type), end - begin, k->c.type);
    return st;
}

/* Of an fp32 source with bf16 gradients dy is made fp32 by the whole team first. */
status convolution_run_weights(
    const convolution *k, const team *t, const void *x, const void *dy, float *packed) {
    if (k->winograd) return winograd_run_weights(k->winograd, t, x, dy, packed);
    if (k->taps) return taps_run(k->taps, t, x, dy, packed);
    if (!k->fp32) return run_direct_weights(k, t, x, dy, packed);
    float *plain = t->shared;
    size_t begin, end;
    team_share(t, outputs(&k->c), LINE, &begin, &end);
    layer_convert_out(row_at(dy, begin, k->c.type), plain + begin, end - begin, k->c.type);
    team_meet(t);
    return run_direct_weights(k, t, x, plain, packed);
}

int convolution_unit_pieces(const convolution *k) {
    return taps_pieces(k->taps);
}

status convolution_run_unit(
    const convolution *k, const team *alone, int piece, const conv_images *unit, float *packed) {
    return taps_run_piece(k->taps, alone, piece, unit, packed);
}
