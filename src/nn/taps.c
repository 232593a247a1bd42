#include "src/nn/taps.h"

#include "src/base/memory.h"
#include "src/nn/layers.h"
#include "src/nn/rows.h"

#include <string.h>

enum { MOST_PIXELS = 1024, ALIGNMENT = 64 };

/* Outputs y .. y + height - 1, x .. x + width - 1, whose input stands (down, right) from them. */
typedef struct rectangle {
    int y, x, height, width, down, right;
} rectangle;

/* Products of equally many pixels. */
typedef struct step {
    int pixels;
    onednn_product *first, *next; /* next: adds */
} step;

struct taps {
    conv_shape c;
    dtype products;
    int count; /* taps */
    rectangle *tap;
    step *step; /* [count]; a tap's stands in `kind` */
    int *kind, steps;
    size_t x_bytes, dy_bytes; /* of a step's pixels, copied */
};

/* Outputs along one side for which the tap `offset` from them lies inside. */
static void valid(int in, int out, int offset, int *begin, int *count) {
    int first = offset < 0 ? -offset : 0, end = in - offset < out ? in - offset : out;
    *begin = first;
    *count = end > first ? end - first : 0;
}

static rectangle rectangle_of(const conv_shape *c, int tap) {
    rectangle r = {.down = tap / c->kernel * c->dilation - c->padding,
        .right = tap % c->kernel * c->dilation - c->padding};
    valid(c->height, c->out_height, r.down, &r.y, &r.height);
    valid(c->width, c->out_width, r.right, &r.x, &r.width);
    return r;
}

double taps_count(const conv_shape *c) {
    double sum = 0;
    for (int k = 0; k < c->kernel * c->kernel; k++) {
        rectangle r = rectangle_of(c, k);
        sum += (double)r.height * r.width;
    }
    return sum;
}

double taps_all(const conv_shape *c) {
    return (double)c->kernel * c->kernel * c->out_height * c->out_width;
}

static int blocks_of(const rectangle *r) {
    return (r->height * r->width + MOST_PIXELS - 1) / MOST_PIXELS;
}

static int pixels_of(const rectangle *r) {
    int blocks = blocks_of(r);
    return blocks == 0 ? 0 : (r->height * r->width + blocks - 1) / blocks;
}

static status create_step(taps *t, onednn *o, int pixels, bool more) {
    step *s = &t->step[t->steps];
    product_shape p = {.batch = 1,
        .rows = t->c.channels,
        .inner = pixels,
        .columns = t->c.out_channels,
        .transposed = true,
        .type = t->products};
    s->pixels = pixels;
    t->steps++;
    status st = onednn_product_create(&s->first, o, &p);
    p.add = true;
    return st == STATUS_OK && more ? onednn_product_create(&s->next, o, &p) : st;
}

/* One step for all taps that need the same one. */
static status create_steps(taps *t, onednn *o) {
    for (int k = 0; k < t->count; k++) {
        t->tap[k] = rectangle_of(&t->c, k);
        int pixels = pixels_of(&t->tap[k]), s = 0;
        bool more = blocks_of(&t->tap[k]) > 1;
        if (pixels == 0) continue;
        while (s < t->steps && (t->step[s].pixels != pixels || (more && !t->step[s].next))) s++;
        t->kind[k] = s;
        if (s < t->steps) continue;
        status st = create_step(t, o, pixels, more);
        if (st != STATUS_OK) return st;
        size_t each = (size_t)pixels * dtype_size(t->products);
        size_t x = each * (size_t)t->c.channels, dy = each * (size_t)t->c.out_channels;
        if (x > t->x_bytes) t->x_bytes = (x + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (dy > t->dy_bytes) t->dy_bytes = (dy + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return STATUS_OK;
}

status taps_create(taps **out, onednn *o, const conv_shape *c, dtype products) {
    taps *t = memory_alloc(1, sizeof *t, "convolution");
    if (!t) return STATUS_FAILED;
    *t = (taps){.c = *c, .products = products, .count = c->kernel * c->kernel};
    t->tap = memory_alloc((size_t)t->count, sizeof *t->tap, "convolution");
    t->step = memory_alloc((size_t)t->count, sizeof *t->step, "convolution");
    t->kind = memory_alloc((size_t)t->count, sizeof *t->kind, "convolution");
    status s = t->tap && t->step && t->kind ? create_steps(t, o) : STATUS_FAILED;
    if (s != STATUS_OK) {
        taps_destroy(t);
        return s;
    }
    *out = t;
    return STATUS_OK;
}

void taps_destroy(taps *t) {
    if (!t) return;
    for (int i = 0; t->step && i < t->steps; i++) {
        onednn_product_destroy(t->step[i].first);
        onednn_product_destroy(t->step[i].next);
    }
    memory_free(t->tap);
    memory_free(t->step);
    memory_free(t->kind);
    memory_free(t);
}

size_t taps_scratch(const taps *t) {
    size_t most = 0;
    for (int i = 0; i < t->steps; i++) {
        size_t first = onednn_product_scratch(t->step[i].first);
        size_t next = t->step[i].next ? onednn_product_scratch(t->step[i].next) : 0;
        if (first > most) most = first;
        if (next > most) most = next;
    }
    return t->x_bytes + t->dy_bytes + most;
}

/* A map of rows of `channels`, of which a rectangle begins at (y, x). */
typedef struct window {
    const void *data;
    int y, x, width, channels;
} window;

/* Pixels i .. i + count - 1 of a rectangle of `width`, one after another; zeros up to `room`. They
 * stand so already where a row of the rectangle is one of the map. */
static const void *pixels_at(
    const taps *t, const window *w, int width, int i, int count, int room, char *to) {
    size_t c = (size_t)w->channels, each = c * dtype_size(t->products);
    if (width == w->width && t->c.type == t->products && count == room)
        return row_at(w->data, (size_t)(w->y * w->width + i) * c, t->c.type);
    char *at = to;
    for (int left = count, n; left > 0; left -= n, i += n, at += (size_t)n * each) {
        int row = i / width, column = i % width;
        n = width - column < left ? width - column : left;
        size_t from = ((size_t)(w->y + row) * (size_t)w->width + (size_t)(w->x + column)) * c;
        const void *data = row_at(w->data, from, t->c.type);
        if (t->c.type == t->products)
            memcpy(at, data, (size_t)n * each);
        else
            layer_convert_out(data, (float *)at, (size_t)n * c, t->c.type);
    }
    memset(at, 0, (size_t)(room - count) * each);
    return to;
}

static status run_tap(const taps *t, int thread, int k, const void *x, const void *dy,
    float *gradient, char *scratch) {
    const rectangle *r = &t->tap[k];
    const step *s = &t->step[t->kind[k]];
    int area = r->height * r->width;
    window in = {x, r->y + r->down, r->x + r->right, t->c.width, t->c.channels};
    window out = {dy, r->y, r->x, t->c.out_width, t->c.out_channels};
    char *room = scratch + t->x_bytes;
    for (int i = 0; i < area; i += s->pixels) {
        int n = area - i < s->pixels ? area - i : s->pixels;
        const void *a = pixels_at(t, &in, r->width, i, n, s->pixels, scratch);
        const void *b = pixels_at(t, &out, r->width, i, n, s->pixels, room);
        status st = onednn_product_run(
            i == 0 ? s->first : s->next, thread, a, b, gradient, room + t->dy_bytes);
        if (st != STATUS_OK) return st;
    }
    return STATUS_OK;
}

status taps_run(
    const taps *t, int thread, const void *x, const void *dy, float *gradient, void *scratch) {
    size_t each = (size_t)t->c.channels * (size_t)t->c.out_channels;
    for (int k = 0; k < t->count; k++) {
        if (t->tap[k].height * t->tap[k].width == 0) {
            memset(gradient + (size_t)k * each, 0, each * sizeof *gradient);
            continue;
        }
        status s = run_tap(t, thread, k, x, dy, gradient + (size_t)k * each, scratch);
        if (s != STATUS_OK) return s;
    }
    return STATUS_OK;
}
