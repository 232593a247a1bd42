/* Rectangles of pixels, gathered and multiplied, block by block of at most MOST_PIXELS: both
 * matrices of a product stay in the second-level cache.
 *
 * A tap sees a shifted copy of the map. Where its input lies outside, the product with padding is
 * left out: what remains is a rectangle of outputs and one of inputs, equally large. Pixels of both
 * are the inner dimension of the product, channels the rows and columns.
 *
 * A product has one number of pixels. A rectangle is therefore cut into blocks of equal size, and
 * the last one is filled up with zeros, which add nothing. The first block of a tap writes, the
 * others add, in order, and so do further images: a tap's gradient has one order of sums, and
 * stands in the cache while it grows. A team shares out taps, and parts of the input's channels,
 * which are rows of a tap's gradient. */
#include "src/nn/kernels/taps.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/nn/kernels/layers.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/tap_rectangle.h"
#include "src/nn/kernels/trial.h"

#include <omp.h>
#include <string.h>

enum { MOST_PIXELS = 1024, ALIGNMENT = 64, CHANNELS = 16 };

/* dW [rows, O] = X^T dY. */
typedef struct product {
    matrix_shape shape;
    onednn_product *onednn; /* NULL: our own */
} product;

/* Products of equally many pixels. Those that are not there have no rows. */
typedef struct product_set {
    int pixels;
    product first, next;           /* next: adds */
    product part_first, part_next; /* the same of a part of the input's channels */
} product_set;

struct taps {
    conv_shape c;
    dtype products;
    bool own;    /* products */
    int count;   /* taps */
    int parts;   /* of the channels, for several threads */
    bool images; /* several are added */
    tap_rectangle *tap;
    product_set *set; /* [count]; `kind` has a tap's */
    int *kind, sets;
    size_t x_bytes, dy_bytes; /* of a set's pixels, copied */
};

double taps_count(const conv_shape *c) {
    double sum = 0;
    for (int k = 0; k < c->kernel * c->kernel; k++) {
        tap_rectangle r = tap_rectangle_of(c, k);
        sum += (double)r.height * r.width;
    }
    return sum;
}

double taps_all(const conv_shape *c) {
    return (double)c->kernel * c->kernel * c->out_height * c->out_width;
}

/* Blocks of at most MOST_PIXELS pixels; none of an empty rectangle. */
static int blocks_of(const tap_rectangle *r) {
    return (r->height * r->width + MOST_PIXELS - 1) / MOST_PIXELS;
}

/* Of each block: the pixels evenly divided, rounded up. */
static int pixels_of(const tap_rectangle *r) {
    int blocks = blocks_of(r);
    return blocks == 0 ? 0 : (r->height * r->width + blocks - 1) / blocks;
}

static status create_product(const taps *t, onednn *o, const matrix_shape *s, product *out) {
    const product_shape p = {.batch = 1,
        .rows = (int64_t)s->rows,
        .inner = (int64_t)s->inner,
        .columns = (int64_t)s->columns,
        .transposed = true,
        .add = s->add,
        .type = t->products};
    *out = (product){*s, NULL};
    return t->own ? STATUS_OK : onednn_product_create(&out->onednn, o, &p);
}

static size_t product_scratch(const product *p) {
    return p->onednn           ? onednn_product_scratch(p->onednn)
           : p->shape.rows > 0 ? matrix_outer_scratch(&p->shape)
                               : 0;
}

static status run_product(
    const product *p, int thread, const void *a, const void *b, float *c, void *scratch) {
    if (p->onednn) return onednn_product_run(p->onednn, thread, a, b, c, scratch);
    matrix_outer(&p->shape, a, b, c, scratch);
    return STATUS_OK;
}

/* The products of a set over `rows` of the input's channels. The one that writes and, if next is
 * not NULL, the one that adds. */
static status create_products(
    const taps *t, onednn *o, int rows, int pixels, product *first, product *next) {
    matrix_shape s = {(size_t)rows, (size_t)pixels, (size_t)t->c.out_channels, true, false};
    status st = create_product(t, o, &s, first);
    s.add = true;
    return st == STATUS_OK && next ? create_product(t, o, &s, next) : st;
}

/* Takes the next free set. more: a tap of this set has more than one block. */
static status create_set(taps *t, onednn *o, int pixels, bool more) {
    product_set *s = &t->set[t->sets++];
    s->pixels = pixels;
    status st = create_products(t, o, t->c.channels, pixels, &s->first, more ? &s->next : NULL);
    if (st != STATUS_OK || t->parts == 1) return st;
    return create_products(
        t, o, t->c.channels / t->parts, pixels, &s->part_first, more ? &s->part_next : NULL);
}

/* One set for all taps that need the same one. A tap without pixels has none. A set made for taps
 * of one block does not do for taps of several with as many pixels: those get another. x_bytes and
 * dy_bytes grow to the largest set's. */
static status create_sets(taps *t, onednn *o) {
    for (int k = 0; k < t->count; k++) {
        t->tap[k] = tap_rectangle_of(&t->c, k);
        int pixels = pixels_of(&t->tap[k]), s = 0;
        bool more = t->images || blocks_of(&t->tap[k]) > 1;
        if (pixels == 0) continue;
        while (
            s < t->sets && (t->set[s].pixels != pixels || (more && t->set[s].next.shape.rows == 0)))
            s++;
        t->kind[k] = s;
        if (s < t->sets) continue;
        status st = create_set(t, o, pixels, more);
        if (st != STATUS_OK) return st;
        size_t each = (size_t)pixels * dtype_size(t->products);
        size_t x = each * (size_t)t->c.channels, dy = each * (size_t)t->c.out_channels;
        if (x > t->x_bytes) t->x_bytes = (x + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (dy > t->dy_bytes) t->dy_bytes = (dy + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return STATUS_OK;
}

static status run_parts(
    const taps *t, const team *crew, int parts, const conv_images *images, float *gradient);

/* No parts where they do not give the bits of the whole: products order their sums as they like.
 * The whole is run as one thread runs it, the parts as a team of one does: only the shape of the
 * products differs. Where images are added, one is added to itself. */
static status compare_parts(taps *t) {
    const conv_shape *c = &t->c;
    size_t in = (size_t)c->height * (size_t)c->width * (size_t)c->channels;
    size_t out = (size_t)c->out_height * (size_t)c->out_width * (size_t)c->out_channels;
    size_t count = (size_t)t->count * (size_t)c->channels * (size_t)c->out_channels;
    void *x = trial_numbers(in, 0, c->type), *dy = trial_numbers(out, 1, c->type);
    float *whole = memory_alloc(count, sizeof *whole, "trial");
    float *cut = memory_alloc(count, sizeof *cut, "trial");
    void *scratch = memory_alloc(taps_scratch(t), 1, "trial");
    team one = team_alone(0, scratch);
    const conv_images twice = {
        t->images ? 2 : 1, (const void *const[]){x, x}, (const void *const[]){dy, dy}};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1); /* oneDNN's, onednn.c */
    status st =
        x && dy && whole && cut && scratch ? run_parts(t, &one, 1, &twice, whole) : STATUS_FAILED;
    if (st == STATUS_OK) st = run_parts(t, &one, t->parts, &twice, cut);
    omp_set_num_threads(threads);
    if (st == STATUS_OK && memcmp(whole, cut, count * sizeof *whole) != 0) t->parts = 1;
    memory_free(x);
    memory_free(dy);
    memory_free(whole);
    memory_free(cut);
    memory_free(scratch);
    return st;
}

/* At most `most` parts of equal size. All parts need the same product, so they are equal; whole
 * vectors of channels. */
static int choose_parts(int channels, int most) {
    int parts = most;
    while (parts > 1 && channels % (parts * CHANNELS) != 0) parts--;
    return parts > 1 ? parts : 1;
}

/* Without parts a team still shares out taps, unless there is one alone. */
status taps_create(taps **out, onednn *o, const conv_shape *c, taps_options want) {
    taps *t = memory_alloc(1, sizeof *t, "convolution");
    if (!t) return STATUS_FAILED;
    *t = (taps){.c = *c,
        .products = want.products,
        .own = want.narrow && want.products == DTYPE_F32,
        .count = c->kernel * c->kernel,
        .images = want.images};
    t->parts = choose_parts(c->channels, want.most);
    t->tap = memory_alloc((size_t)t->count, sizeof *t->tap, "convolution");
    t->set = memory_alloc((size_t)t->count, sizeof *t->set, "convolution");
    t->kind = memory_alloc((size_t)t->count, sizeof *t->kind, "convolution");
    status st = t->tap && t->set && t->kind ? create_sets(t, o) : STATUS_FAILED;
    if (st == STATUS_OK && t->parts > 1) st = compare_parts(t);
    if (st != STATUS_OK) {
        taps_destroy(t);
        return st;
    }
    *out = t;
    return STATUS_OK;
}

void taps_destroy(taps *t) {
    if (!t) return;
    for (int i = 0; t->set && i < t->sets; i++) {
        onednn_product_destroy(t->set[i].first.onednn);
        onednn_product_destroy(t->set[i].next.onednn);
        onednn_product_destroy(t->set[i].part_first.onednn);
        onednn_product_destroy(t->set[i].part_next.onednn);
    }
    memory_free(t->tap);
    memory_free(t->set);
    memory_free(t->kind);
    memory_free(t);
}

size_t taps_scratch(const taps *t) {
    size_t most = 0;
    for (int i = 0; i < t->sets; i++) {
        const product_set *s = &t->set[i];
        const product *k[] = {&s->first, &s->next, &s->part_first, &s->part_next};
        for (int j = 0; j < 4; j++)
            if (product_scratch(k[j]) > most) most = product_scratch(k[j]);
    }
    return t->x_bytes + t->dy_bytes + most;
}

/* Channels first .. first + count - 1 of a map of rows of `channels`, of which a rectangle begins
 * at (y, x). */
typedef struct window {
    const void *data;
    int y, x, width, channels, first, count;
} window;

/* n pixels, whose first element in the map is `from`, one after the other. Neighbouring pixels of
 * all channels are one piece of memory. Maps in bf16 become fp32 here where products are fp32. */
static void copy_pixels(const taps *t, const window *w, size_t from, size_t n, void *to) {
    size_t count = (size_t)w->count, all = (size_t)w->channels;
    if (w->count == w->channels) count *= n, n = 1;
    for (size_t i = 0; i < n; i++) {
        const void *data = row_at(w->data, from + i * all, t->c.type);
        void *at = row_at(to, i * count, t->products);
        if (t->c.type == t->products)
            memcpy(at, data, count * dtype_size(t->products));
        else
            layer_convert_out(data, at, count, t->c.type);
    }
}

/* Pixels i .. i + count - 1 of a rectangle of `width`, one after another; zeros up to `padded`.
 * They stand so already where a row of the rectangle is one of the map. */
static const void *pixels_at(
    const taps *t, const window *w, int width, int i, int count, int padded, char *to) {
    size_t each = (size_t)w->count * dtype_size(t->products), all = (size_t)w->channels;
    bool whole = w->count == w->channels && width == w->width && count == padded;
    if (whole && t->c.type == t->products)
        return row_at(w->data, (size_t)(w->y * w->width + i) * all, t->c.type);
    char *at = to;
    for (int left = count, n; left > 0; left -= n, i += n, at += (size_t)n * each) {
        int row = i / width, column = i % width;
        n = width - column < left ? width - column : left;
        size_t from = (size_t)(w->y + row) * (size_t)w->width + (size_t)(w->x + column);
        copy_pixels(t, w, from * all + (size_t)w->first, (size_t)n, at);
    }
    memset(at, 0, (size_t)(padded - count) * each);
    return to;
}

/* Products of one tap and part are run one after another, the first of which writes. */
typedef struct tap_product {
    const product_set *set;
    bool part, add;
    float *gradient; /* the part's rows, [channels, O] */
} tap_product;

/* An image's rectangles, block by block. */
static status add_image(const taps *t, const team *crew, const tap_rectangle *r, const window *in,
    const window *out, tap_product *p) {
    const product_set *s = p->set;
    int area = r->height * r->width;
    /* Scratch memory: the inputs' pixels, the gradients', the scratchpad of a product. */
    char *copies = (char *)crew->scratch + t->x_bytes;
    for (int i = 0; i < area; i += s->pixels) {
        int n = area - i < s->pixels ? area - i : s->pixels;
        const void *a = pixels_at(t, in, r->width, i, n, s->pixels, crew->scratch);
        const void *b = pixels_at(t, out, r->width, i, n, s->pixels, copies);
        const product *first = p->part ? &s->part_first : &s->first;
        const product *next = p->part ? &s->part_next : &s->next;
        status st = run_product(
            p->add ? next : first, crew->thread, a, b, p->gradient, copies + t->dy_bytes);
        if (st != STATUS_OK) return st;
        p->add = true;
    }
    return STATUS_OK;
}

/* Part `part` of `parts` of the input's channels. gradient: the part's rows of tap k: written. */
static status run_tap(const taps *t, const team *crew, int k, int part, int parts,
    const conv_images *images, float *gradient) {
    const tap_rectangle *r = &t->tap[k];
    int channels = t->c.channels / parts;
    tap_product p = {&t->set[t->kind[k]], parts > 1, false, gradient};
    window in = {NULL, r->y + r->down, r->x + r->right, t->c.width, t->c.channels, part * channels,
        channels};
    window out = {NULL, r->y, r->x, t->c.out_width, t->c.out_channels, 0, t->c.out_channels};
    status st = STATUS_OK;
    for (int i = 0; i < images->count && st == STATUS_OK; i++) {
        in.data = images->x[i];
        out.data = images->dy[i];
        st = add_image(t, crew, r, &in, &out, &p);
    }
    return st;
}

/* Of all taps' parts, `piece`. A tap that sees nothing but padding has a gradient of zero, which no
 * product writes. */
static status run_piece(const taps *t, const team *crew, int piece, int parts,
    const conv_images *images, float *gradient) {
    size_t each = (size_t)(t->c.channels / parts) * (size_t)t->c.out_channels;
    int k = piece / parts;
    float *to = gradient + (size_t)piece * each;
    if (t->tap[k].height * t->tap[k].width > 0)
        return run_tap(t, crew, k, piece % parts, parts, images, to);
    memset(to, 0, each * sizeof *to);
    return STATUS_OK;
}

/* Taps, each in parts, are dealt to the team. */
static status run_parts(
    const taps *t, const team *crew, int parts, const conv_images *images, float *gradient) {
    status worst = STATUS_OK;
    for (int i = crew->rank; i < t->count * parts; i += crew->size) {
        status st = run_piece(t, crew, i, parts, images, gradient);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}

/* One thread takes whole taps: parts are for teams. */
status taps_run(const taps *t, const team *crew, const void *x, const void *dy, float *gradient) {
    const conv_images one = {1, &x, &dy};
    return run_parts(t, crew, crew->size > 1 ? t->parts : 1, &one, gradient);
}

int taps_pieces(const taps *t) {
    return t->count * t->parts;
}

status taps_run_piece(
    const taps *t, const team *alone, int piece, const conv_images *images, float *gradient) {
    return run_piece(t, alone, piece, t->parts, images, gradient);
}
