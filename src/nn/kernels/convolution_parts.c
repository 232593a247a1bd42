/* oneDNN computes an image by one thread. To have it done by several, the convolution is cut into
 * smaller ones of its kind: rows with the padding that they have left, or output channels.
 *
 * A part is a convolution of another shape, for which oneDNN may choose other blocks, and so
 * another order of additions. Nothing in its interface tells: so the parts are tried against the
 * whole, and dropped where a bit differs. A team then leaves the convolution to its leader, which
 * is slow, but right.
 *
 * A part has the same source, destination and weights as the whole, only from another row or
 * channel on: nothing is copied but the channels of dy for a weight gradient, which do not lie
 * together. At most as many parts are made as the largest team has threads; a team of any size
 * deals them out. */
#include "src/nn/kernels/convolution_parts.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/nn/kernels/layers.h"
#include "src/nn/kernels/trial.h"

#include <omp.h>
#include <string.h>

enum { ALIGNMENT = 64, CHANNELS = 16, RESULTS = 1 << 18 };

typedef struct conv_part {
    conv_shape c;
    onednn_kernel *k; /* of this part, or of an earlier one of the same shape */
    bool owned;
    size_t x, y; /* where its source and its destination begin, in elements */
    int first, channels;
} conv_part;

struct conv_parts {
    conv_shape c;
    parts_of what;
    size_t slice_bytes; /* of a part's channels of dy, copied */
    int count;
    conv_part part[];
};

static int least(int a, int b) {
    return a < b ? a : b;
}

static int most(int a, int b) {
    return a > b ? a : b;
}

/* Rows from the first to the last tap of a kernel. A dilated kernel's, with its gaps. */
static int reach(const conv_shape *c) {
    return c->dilation * (c->kernel - 1) + 1;
}

static size_t row(int width, int channels) {
    return (size_t)width * (size_t)channels;
}

/* ---- shapes: each sets a part's offsets; false: there is nothing to compute ---- */

/* Rows begin .. end - 1 of the destination. At the map's edges a part keeps the layer's padding;
 * inside, the rows that the padding would be are there to be read. `above` and `below` are what a
 * part has more than the layer, so mostly negative. */
static bool forward_rows(const conv_shape *c, int begin, int end, conv_shape *s, conv_part *p) {
    int first = begin * c->stride - c->padding;
    int last = (end - 1) * c->stride - c->padding + reach(c);
    int a = most(first, 0), b = least(last, c->height);
    *s = *c;
    s->height = b - a;
    s->out_height = end - begin;
    s->above = a - first - c->padding;
    s->below = last - b - c->padding;
    p->x = (size_t)a * row(c->width, c->channels);
    p->y = (size_t)begin * row(c->out_width, c->out_channels);
    return b > a;
}

/* Rows begin .. end - 1 of the source; begin is a multiple of the stride. What the pass reads,
 * p->x, is the destination's gradient. `first` and `last` are the destination's rows that reach
 * into these rows. A part that no row reaches, which stride and dilation can bring about, is
 * refused: its gradient would be zero, which no kernel writes. */
static bool data_rows(const conv_shape *c, int begin, int end, conv_shape *s, conv_part *p) {
    int first = most(0, begin + c->padding - reach(c) + c->stride) / c->stride;
    int last = least(c->out_height - 1, (end - 1 + c->padding) / c->stride);
    int above = begin + c->padding - first * c->stride;
    int below = (last - first) * c->stride + reach(c) - (end - begin) - above;
    *s = *c;
    s->height = end - begin;
    s->out_height = last - first + 1;
    s->above = above - c->padding;
    s->below = most(below, 0) - c->padding;
    p->x = (size_t)first * row(c->out_width, c->out_channels);
    p->y = (size_t)begin * row(c->width, c->channels);
    return last >= first && above >= 0;
}

/* Channels begin .. end - 1 of the destination; p->y: of a weight gradient, set later. */
static bool channels(const conv_shape *c, int begin, int end, conv_shape *s, conv_part *p) {
    *s = *c;
    s->out_channels = end - begin;
    p->first = begin;
    p->channels = end - begin;
    return end > begin;
}

/* What is cut, and the unit of it. */
static int length_of(const conv_shape *c, parts_of what, int *unit) {
    *unit = what == ROWS_FORWARD ? 1 : what == ROWS_BACKWARD_DATA ? c->stride : CHANNELS;
    return what == ROWS_FORWARD         ? c->out_height
           : what == ROWS_BACKWARD_DATA ? c->height
                                        : c->out_channels;
}

/* ---- creation ---- */

/* Most parts are of one shape: its kernel is made once. The earlier part owns it; k is NULL
 * before. */
static bool find_kernel(const conv_parts *p, conv_part *part) {
    for (int i = 0; i < p->count && !part->k; i++)
        if (memcmp(&p->part[i].c, &part->c, sizeof part->c) == 0) part->k = p->part[i].k;
    return part->k;
}

/* False: this convolution cannot be cut so; the caller then goes without parts. */
static bool create_part(conv_parts *p, const onednn_kernel *whole, int begin, int end) {
    bool (*const shape[])(const conv_shape *, int, int, conv_shape *, conv_part *) = {
        forward_rows, data_rows, channels};
    conv_part *part = &p->part[p->count];
    if (!shape[p->what](&p->c, begin, end, &part->c, part)) return false;
    if (!find_kernel(p, part)) part->owned = onednn_part(&part->k, whole, &part->c);
    if (part->k) p->count++;
    return part->k;
}

/* Slices of a weight gradient stand one after the other where outputs are its slowest index. */
static bool place_slices(conv_parts *p, const onednn_kernel *whole) {
    size_t at = 0, pixels = (size_t)p->c.out_height * (size_t)p->c.out_width;
    for (int i = 0; i < p->count; i++) {
        size_t bytes = pixels * (size_t)p->part[i].channels * dtype_size(p->c.type);
        bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (bytes > p->slice_bytes) p->slice_bytes = bytes;
        p->part[i].y = at;
        at += onednn_gradient_count(p->part[i].k);
    }
    return at == onednn_gradient_count(whole);
}

/* Parts of as equal size as whole units allow. */
static bool create_all(conv_parts *p, const onednn_kernel *whole, int parts) {
    int unit, length = length_of(&p->c, p->what, &unit), units = (length + unit - 1) / unit;
    for (int i = 0; i < parts; i++) {
        int begin = units * i / parts * unit, end = least(units * (i + 1) / parts * unit, length);
        if (!create_part(p, whole, begin, end)) return false;
    }
    return p->what != CHANNELS_OF_WEIGHTS || place_slices(p, whole);
}

/* ---- execution ---- */

/* A thread runs one part at a time. */
size_t conv_parts_scratch(const conv_parts *p) {
    size_t bytes = 0;
    for (int i = 0; i < p->count; i++)
        if (onednn_scratch(p->part[i].k) > bytes) bytes = onednn_scratch(p->part[i].k);
    return p->slice_bytes + bytes;
}

status conv_parts_run(
    const conv_parts *p, const team *t, const void *x, void *y, const float *bias, void *scratch) {
    status worst = STATUS_OK;
    for (int i = t->rank; i < p->count; i += t->size) {
        const conv_part *part = &p->part[i];
        status st = onednn_run(part->k, t->thread, row_at(x, part->x, p->c.type),
            row_at(y, part->y, p->c.type), bias, scratch);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}

/* Part by part: its channels of dy are brought together in scratch memory first. All go on after an
 * error, for the team meets afterwards. */
status conv_parts_run_weights(const conv_parts *p, const team *t, const void *x, const void *dy,
    float *packed, void *scratch) {
    status worst = STATUS_OK;
    size_t pixels = (size_t)p->c.out_height * (size_t)p->c.out_width;
    for (int i = t->rank; i < p->count; i += t->size) {
        const conv_part *part = &p->part[i];
        const int from[3] = {part->channels, part->first, p->c.out_channels};
        layer_take(dy, scratch, pixels, from, false, p->c.type);
        status st = onednn_run_weights(
            part->k, t->thread, x, scratch, packed + part->y, (char *)scratch + p->slice_bytes);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}

/* ---- the comparison ---- */

/* Numbers for both ways, and the results. */
typedef struct trial {
    size_t in, out, results; /* elements; results: bytes */
    void *x, *y, *result[2], *scratch;
    float *weights, *bias;
} trial;

/* Both ways get the same numbers, and forward ones the same old outputs to add to. */
static bool trial_create(trial *v, const conv_parts *p, const onednn_kernel *whole) {
    const conv_shape *c = &p->c;
    size_t source = (size_t)c->height * row(c->width, c->channels);
    size_t destination = (size_t)c->out_height * row(c->out_width, c->out_channels);
    size_t area = (size_t)c->kernel * (size_t)c->kernel, scratch = onednn_scratch(whole);
    bool back = p->what == ROWS_BACKWARD_DATA;
    v->in = back ? destination : source;
    v->out = back ? source : destination;
    v->results = p->what == CHANNELS_OF_WEIGHTS ? onednn_gradient_count(whole) * sizeof(float)
                                                : v->out * dtype_size(c->type);
    if (conv_parts_scratch(p) > scratch) scratch = conv_parts_scratch(p);
    v->x = memory_alloc(v->in, dtype_size(c->type), "trial");
    v->y = memory_alloc(v->out, dtype_size(c->type), "trial");
    v->weights = trial_numbers((size_t)c->channels * (size_t)c->out_channels * area, 0, DTYPE_F32);
    v->bias = trial_numbers((size_t)c->out_channels, 1, DTYPE_F32);
    v->result[0] = memory_alloc(v->results, 1, "trial");
    v->result[1] = memory_alloc(v->results, 1, "trial");
    v->scratch = memory_alloc(scratch, 1, "trial");
    return v->x && v->y && v->weights && v->bias && v->result[0] && v->result[1] && v->scratch;
}

static void trial_destroy(trial *v) {
    void *const all[] = {v->x, v->y, v->weights, v->bias, v->result[0], v->result[1], v->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

/* By one thread, part after part: whether a team does them at once changes nothing. */
static status run_both(const trial *v, const conv_parts *p, const onednn_kernel *whole) {
    team one = team_alone(0, v->scratch);
    const float *bias = onednn_has_bias(whole) ? v->bias : NULL;
    if (p->what == CHANNELS_OF_WEIGHTS) {
        status st = onednn_run_weights(whole, 0, v->x, v->y, v->result[0], v->scratch);
        status parts = conv_parts_run_weights(p, &one, v->x, v->y, v->result[1], v->scratch);
        return st == STATUS_OK ? parts : st;
    }
    for (int i = 0; i < 2; i++) memcpy(v->result[i], v->y, v->results);
    status st = onednn_run(whole, 0, v->x, v->result[0], bias, v->scratch);
    if (st == STATUS_OK) st = conv_parts_run(p, &one, v->x, v->result[1], bias, v->scratch);
    return st;
}

/* Another order of an fp32 sum would show in most results, but after rounding to bf16 in one of
 * 20,000 or so: of those RESULTS are compared. */
static int draws_of(const conv_parts *p, const trial *v) {
    bool rounded = p->c.type == DTYPE_BF16 && p->what != CHANNELS_OF_WEIGHTS;
    return rounded ? (int)((RESULTS + v->out - 1) / v->out) : 1;
}

/* *same: whether the parts give the bits of the whole. */
static status compare(const conv_parts *p, onednn_kernel *whole, bool *same) {
    trial v = {0};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1); /* oneDNN's, onednn.c */
    status st = trial_create(&v, p, whole) ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK && p->what != CHANNELS_OF_WEIGHTS) st = onednn_pack(whole, 0, v.weights);
    *same = st == STATUS_OK;
    for (int i = 0; st == STATUS_OK && *same && i < draws_of(p, &v); i++) {
        trial_fill(v.x, v.in, (uint64_t)(2 + 2 * i), p->c.type);
        trial_fill(v.y, v.out, (uint64_t)(3 + 2 * i), p->c.type);
        st = run_both(&v, p, whole);
        *same = st == STATUS_OK && memcmp(v.result[0], v.result[1], v.results) == 0;
    }
    omp_set_num_threads(threads);
    trial_destroy(&v);
    return st;
}

status conv_parts_create(
    conv_parts **out, onednn_kernel *whole, const conv_shape *c, parts_of what, int parts) {
    int unit, length = length_of(c, what, &unit);
    *out = NULL;
    parts = least(parts, (length + unit - 1) / unit);
    if (parts < 2) return STATUS_OK;
    conv_parts *p =
        memory_alloc(1, sizeof *p + (size_t)parts * sizeof *p->part, "parts of a convolution");
    if (!p) return STATUS_FAILED;
    p->c = *c;
    p->what = what;
    bool same = false;
    status st = create_all(p, whole, parts) ? compare(p, whole, &same) : STATUS_OK;
    if (st == STATUS_OK && same)
        *out = p;
    else
        conv_parts_destroy(p);
    return st;
}

void conv_parts_destroy(conv_parts *p) {
    if (!p) return;
    for (int i = 0; i < p->count; i++)
        if (p->part[i].owned) onednn_kernel_destroy(p->part[i].k);
    memory_free(p);
}
