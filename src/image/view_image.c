/* The pixels of a view: crop, resize, flip and colours in one pass over its rows, without an image
 * in between. A view often shows a small part of a large image: only rows and columns that it shows
 * are read, the flip is the order of the column's taps, and a row is changed in colour while it is
 * in the cache. Only contrast needs the whole view first, and blur its neighbours: these cost
 * another pass. */
#include "src/image/augment.h"
#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/image/blur.h"
#include "src/image/resample.h"

#include <math.h>

/* An axis of the view: which pixels of the image each of its own shows. */
typedef struct axis {
    taps *t; /* [size] */
    float *weight;
    int first, end; /* of all of them */
} axis;

typedef struct sampler {
    const view *v;
    const image *in;
    axis rows, columns;
    float *line; /* [columns.end - columns.first, 3] and one more */
} sampler;

/* begin, extent: of the view on this axis of `whole` pixels, in memory as `size`. step: pixels in
 * memory from one of the view to the next; a `smooth` view covers so many with each of its own. The
 * image may be held smaller than it is (`whole`), as a JPEG decoded at reduced size: positions are
 * scaled to what is in memory. */
static status axis_create(
    axis *a, const view *v, double begin, double extent, double whole, int size) {
    double step = extent / v->size * size / whole, support = v->smooth ? fmax(1, step) : 1;
    size_t longest = taps_longest(support);
    a->t = memory_alloc((size_t)v->size, sizeof *a->t, "view");
    a->weight = memory_alloc((size_t)v->size, longest * sizeof *a->weight, "view");
    if (!a->t || !a->weight) return STATUS_FAILED;
    a->first = size;
    for (int i = 0; i < v->size; i++) {
        double centre = (begin + (i + 0.5) * extent / v->size) * size / whole;
        a->t[i] = taps_at(centre, support, size, a->weight + (size_t)i * longest);
        if (a->t[i].first < a->first) a->first = a->t[i].first;
        if (a->t[i].first + a->t[i].count > a->end) a->end = a->t[i].first + a->t[i].count;
    }
    return STATUS_OK;
}

static void sampler_destroy(sampler *s) {
    memory_free(s->rows.t);
    memory_free(s->rows.weight);
    memory_free(s->columns.t);
    memory_free(s->columns.weight);
    memory_free(s->line);
}

/* The columns in the order of the view, counted from the first that any of them shows. */
static void turn_columns(axis *a, const view *v) {
    for (int i = 0, j = v->size - 1; v->flip && i < j; i++, j--) {
        taps t = a->t[i];
        a->t[i] = a->t[j];
        a->t[j] = t;
    }
    for (int i = 0; i < v->size; i++) a->t[i].first -= a->first;
}

/* Taps of both axes, and memory for the part of a row that the view shows. */
static status sampler_create(sampler *s, int image_height, int image_width) {
    const view *v = s->v;
    status st = axis_create(&s->rows, v, v->top, v->height, image_height, s->in->height);
    if (st == STATUS_OK)
        st = axis_create(&s->columns, v, v->left, v->width, image_width, s->in->width);
    if (st != STATUS_OK) return st;
    turn_columns(&s->columns, v);
    size_t columns = (size_t)(s->columns.end - s->columns.first);
    s->line = memory_alloc(3 * columns + 1, sizeof *s->line, "view");
    return s->line ? STATUS_OK : STATUS_FAILED;
}

VECTOR_CLONES static void scale(float factor, size_t n, float *x) {
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

/* Row i of the view: out [3][size], the channels apart, in [0, 1]. */
static void sample_row(const sampler *s, int i, float *out) {
    size_t size = (size_t)s->v->size, n = 3 * (size_t)(s->columns.end - s->columns.first);
    float *const channel[3] = {out, out + size, out + 2 * size};
    resample_rows(&s->rows.t[i], s->in->data, 3 * (size_t)s->in->width,
        3 * (size_t)s->columns.first, n, s->line);
    scale(1.f / 255, n, s->line);
    resample_line(s->columns.t, size, s->line, channel);
}

/* x [3][size], the channels red, green, blue apart, becomes [size, 3] as the network wants it.
 * spare [3][size] */
VECTOR_CLONES static void normalise(
    const image_input *how, size_t size, float *restrict x, float *restrict spare) {
    float *from[3] = {x, x + size, x + 2 * size};
    for (size_t k = 0; k < 3; k++) {
        const float *channel = from[how->bgr ? 2 - k : k];
        float m = how->mean[k] / how->range, d = 1 / (how->deviation[k] / how->range);
        for (size_t j = 0; j < size; j++) spare[k * size + j] = (channel[j] - m) * d;
    }
    for (size_t j = 0; j < size; j++) {
        x[3 * j] = spare[j];
        x[3 * j + 1] = spare[size + j];
        x[3 * j + 2] = spare[2 * size + j];
    }
}

/* The changes of colour up to the contrast go with the sampling; those from it on, where there is
 * one, in a second pass, when the mean is known. out [size, size, 3] is the working memory as well:
 * a row of it holds the three channels apart until normalise() joins them. Without contrast,
 * `waits` false, one pass is all. The mean is a sum in the order of rows, in float64. */
static void make(const sampler *s, float *spare, float *out) {
    const colours *c = &s->v->colour;
    const image_input *how = s->v->input ? s->v->input : &image_input_imagenet;
    size_t size = (size_t)s->v->size, row = 3 * size;
    int before = colours_before_contrast(c);
    bool waits = before < COLOUR_CHANGES;
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        float *line = out + i * row;
        sample_row(s, (int)i, line);
        colours_change(c, 0, before, 0, size, line);
        if (waits) {
            sum += colours_grey_sum(c, size, line);
            continue;
        }
        colours_grey(c, size, line);
        normalise(how, size, line, spare);
    }
    float mean = (float)(sum / ((double)size * (double)size));
    for (size_t i = 0; waits && i < size; i++) {
        float *line = out + i * row;
        colours_change(c, before, COLOUR_CHANGES, mean, size, line);
        colours_grey(c, size, line);
        normalise(how, size, line, spare);
    }
}

/* Blur comes last: it is a matter of sharpness, not of colour, as in SimCLR's order of changes. */
status view_image(const view *v, int image_height, int image_width, const image *in, float *out) {
    sampler s = {.v = v, .in = in};
    status st = sampler_create(&s, image_height, image_width);
    float *spare = memory_alloc((size_t)v->size, 3 * sizeof *spare, "view");
    if (st == STATUS_OK && !spare) st = STATUS_FAILED;
    if (st == STATUS_OK) make(&s, spare, out);
    /* The normalisation is affine and the kernel adds up to 1: they may change places. */
    if (st == STATUS_OK && v->blur > 0) st = blur_gaussian(v->blur, v->size, out);
    memory_free(spare);
    sampler_destroy(&s);
    return st;
}
