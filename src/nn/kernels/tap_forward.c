/* A team shares out lines of outputs. For each tap, and each panel of its weights, the rows of a
 * product are the pixels of the rectangle, line by line, where they stand in the map: nothing is
 * gathered. The panel stays in the second-level cache for all lines. */
#include "src/nn/kernels/tap_forward.h"

#include "src/base/memory.h"
#include "src/nn/kernels/layers.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/tap_rectangle.h"

#include <string.h>

struct tap_forward {
    conv_shape c;
    conv_fusion f;
    size_t taps, panels; /* panels of MATRIX_PANEL outputs */
    float *packed;       /* [taps, panels, C, MATRIX_PANEL] */
};

bool tap_forward_fits(const conv_shape *c) {
    return c->kernel > 1 && c->stride == 1 && c->type == DTYPE_F32 &&
           c->out_channels % MATRIX_PANEL == 0;
}

static size_t panel_size(const tap_forward *k) {
    return (size_t)k->c.channels * MATRIX_PANEL;
}

status tap_forward_create(tap_forward **out, const conv_shape *c, conv_fusion f) {
    tap_forward *k = memory_alloc(1, sizeof *k, "convolution");
    if (!k) return STATUS_FAILED;
    *k = (tap_forward){.c = *c,
        .f = f,
        .taps = (size_t)c->kernel * (size_t)c->kernel,
        .panels = (size_t)c->out_channels / MATRIX_PANEL};
    k->packed = memory_alloc(k->taps * k->panels * panel_size(k), sizeof *k->packed, "weights");
    if (!k->packed) {
        tap_forward_destroy(k);
        return STATUS_FAILED;
    }
    *out = k;
    return STATUS_OK;
}

void tap_forward_destroy(tap_forward *k) {
    if (!k) return;
    memory_free(k->packed);
    memory_free(k);
}

size_t tap_forward_bytes(const tap_forward *k) {
    return k->taps * k->panels * panel_size(k) * sizeof *k->packed;
}

/* Row i of panel p, of every tap: weight (o, i, tap) stands at o step + tap of w, or is flipped. */
static void pack_row(tap_forward *k, size_t p, size_t i, const float *w, size_t step) {
    for (size_t tap = 0; tap < k->taps; tap++) {
        size_t from = k->f.transposed ? k->taps - 1 - tap : tap;
        float *to = k->packed + (tap * k->panels + p) * panel_size(k) + i * MATRIX_PANEL;
        for (size_t o = 0; o < MATRIX_PANEL; o++) to[o] = w[o * step + from];
    }
}

void tap_forward_pack(tap_forward *k, int thread, int threads, const float *weight) {
    size_t in = (size_t)k->c.channels, out = (size_t)k->c.out_channels;
    size_t first = in * (size_t)thread / (size_t)threads;
    size_t end = in * ((size_t)thread + 1) / (size_t)threads;
    for (size_t p = 0; p < k->panels; p++)
        for (size_t i = first; i < end; i++) {
            size_t o = p * MATRIX_PANEL;
            if (k->f.transposed)
                pack_row(k, p, i, weight + (i * out + o) * k->taps, k->taps);
            else
                pack_row(k, p, i, weight + (o * in + i) * k->taps, in * k->taps);
        }
}

/* What stands in y before the products. */
static void begin_lines(const tap_forward *k, size_t begin, size_t end, float *y, const float *b) {
    size_t out = (size_t)k->c.out_channels, width = (size_t)k->c.out_width;
    if (k->f.sum && !b) return;
    for (size_t i = begin * width; i < end * width; i++) {
        float *to = y + i * out;
        if (!k->f.sum) memset(to, 0, out * sizeof *to);
        for (size_t o = 0; b && o < out; o++) to[o] += b[o];
    }
}

/* Lines begin .. end - 1 of tap k's rectangle. */
static void add_tap(
    const tap_forward *k, size_t tap, size_t begin, size_t end, const float *x, float *y) {
    const conv_shape *c = &k->c;
    tap_rectangle r = tap_rectangle_of(c, (int)tap);
    size_t first = (size_t)r.y > begin ? (size_t)r.y : begin, last = (size_t)(r.y + r.height);
    size_t in = (size_t)c->channels, out = (size_t)c->out_channels;
    if (last > end) last = end;
    if (r.width == 0 || first >= last) return;
    /* Lines that stand behind each other in both maps are one. */
    bool whole = r.width == c->width && r.width == c->out_width;
    size_t lines = last - first, together = whole ? lines : 1;
    const float *from =
        x + (((size_t)((int)first + r.down)) * (size_t)c->width + (size_t)(r.x + r.right)) * in;
    float *to = y + (first * (size_t)c->out_width + (size_t)r.x) * out;
    for (size_t p = 0; p < k->panels; p++) {
        const float *b = k->packed + (tap * k->panels + p) * panel_size(k);
        matrix_rows_of m = {.rows = (size_t)r.width * together,
            .inner = in,
            .a_stride = in,
            .c_stride = out,
            .fetch = b + panel_size(k)};
        for (size_t l = 0; l < lines; l += together) {
            matrix_add(&m, from + l * (size_t)c->width * in, b,
                to + l * (size_t)c->out_width * out + p * MATRIX_PANEL);
            m.fetch = NULL;
        }
    }
}

void tap_forward_run(
    const tap_forward *k, const team *t, const float *x, float *y, const float *bias) {
    size_t begin, end, line = (size_t)k->c.out_width * (size_t)k->c.out_channels;
    team_share(t, (size_t)k->c.out_height, 1, &begin, &end);
    begin_lines(k, begin, end, y, k->f.bias ? bias : NULL);
    for (size_t tap = 0; tap < k->taps; tap++) add_tap(k, tap, begin, end, x, y);
    y += begin * line;
    if (k->f.relu) layer_relu(y, y, (end - begin) * line, DTYPE_F32);
}
