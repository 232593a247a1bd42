/* Images and label maps as they are held: bytes and 16-bit labels, row by row. Resizing is as
 * Pillow does it, since that is what published weights were trained with: a filter that widens with
 * the reduction, columns first, rounded to bytes in between. Labels are never mixed: nearest. */
#include "src/image/image.h"

#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/image/resample.h"

#include <math.h>
#include <string.h>

status image_create(image *out, int height, int width) {
    uint8_t *data = memory_alloc((size_t)height * (size_t)width, 3, "image");
    if (!data) return STATUS_FAILED;
    *out = (image){height, width, data};
    return STATUS_OK;
}

void image_destroy(image *m) {
    memory_free(m->data);
    *m = (image){0};
}

/* Zeros are class 0, not LABEL_IGNORE: who creates a map fills all of it. */
status labelmap_create(labelmap *out, int height, int width) {
    uint16_t *data = memory_alloc((size_t)height * (size_t)width, sizeof *data, "label map");
    if (!data) return STATUS_FAILED;
    *out = (labelmap){height, width, data};
    return STATUS_OK;
}

void labelmap_destroy(labelmap *m) {
    memory_free(m->data);
    *m = (labelmap){0};
}

/* Which pixels each output of an axis is made of. */
typedef struct axis {
    taps *t; /* [out] */
    float *weight;
} axis;

/* Taps are found once an axis, not once a pixel. Output i is centred over (i + 0.5) * scale in
 * pixels of the input. All weights lie in one block, `longest` floats each, whatever an output uses
 * of them. On failure the caller destroys what is there. */
static status axis_create(axis *a, int in, int out) {
    double scale = (double)in / out, support = fmax(1, scale);
    size_t longest = taps_longest(support);
    a->t = memory_alloc((size_t)out, sizeof *a->t, "resize");
    a->weight = memory_alloc((size_t)out, longest * sizeof *a->weight, "resize");
    if (!a->t || !a->weight) return STATUS_FAILED;
    for (int i = 0; i < out; i++)
        a->t[i] = taps_at((i + 0.5) * scale, support, in, a->weight + (size_t)i * longest);
    return STATUS_OK;
}

static void axis_destroy(axis *a) {
    memory_free(a->t);
    memory_free(a->weight);
}

typedef struct resampler {
    axis rows, columns;
    float *line, *channel[3]; /* a line of the input, of the output; line has room for rows, too */
    uint8_t *narrow;          /* [in rows, width, 3], resampled horizontally */
} resampler;

/* Memory for one line of floats and for all lines once they are narrow. The one float more is what
 * resample_line reads beyond the last pixel. All rows are narrowed before the first output row is
 * summed, as each needs several of them. */
static status resampler_create(resampler *r, const image *in, int height, int width) {
    size_t w = (size_t)width, longer = (size_t)(in->width > width ? in->width : width);
    r->line = memory_alloc(3 * (longer + w) + 1, sizeof *r->line, "resize");
    r->narrow = memory_alloc((size_t)in->height * w, 3, "resize");
    if (!r->line || !r->narrow) return STATUS_FAILED;
    for (size_t c = 0; c < 3; c++) r->channel[c] = r->line + 3 * longer + 1 + c * w;
    status st = axis_create(&r->rows, in->height, height);
    return st == STATUS_OK ? axis_create(&r->columns, in->width, width) : st;
}

static void resampler_destroy(resampler *r) {
    axis_destroy(&r->rows);
    axis_destroy(&r->columns);
    memory_free(r->line);
    memory_free(r->narrow);
}

VECTOR_CLONES static void widen(const uint8_t *in, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = in[i];
}

/* Three lines of a channel each to one of pixels. */
VECTOR_CLONES static void join(float *const channel[3], size_t n, float *restrict out) {
    const float *r = channel[0], *g = channel[1], *b = channel[2];
    for (size_t i = 0; i < n; i++) {
        out[3 * i] = r[i];
        out[3 * i + 1] = g[i];
        out[3 * i + 2] = b[i];
    }
}

/* Columns, then rows, rounded to bytes in between as Pillow does. r->line is the line of the input,
 * then, joined again, that of the output. */
static void resample(resampler *r, const image *in, image *out) {
    size_t w = (size_t)out->width, from = (size_t)in->width * 3;
    for (size_t y = 0; y < (size_t)in->height; y++) {
        widen(in->data + y * from, from, r->line);
        resample_line(r->columns.t, w, r->line, r->channel);
        join(r->channel, w, r->line);
        resample_bytes(r->line, 3 * w, r->narrow + y * 3 * w);
    }
    for (size_t y = 0; y < (size_t)out->height; y++) {
        resample_rows(&r->rows.t[y], r->narrow, 3 * w, 0, 3 * w, r->line);
        resample_bytes(r->line, 3 * w, out->data + y * 3 * w);
    }
}

/* The same size is a copy: a filter of width 1 would give the same, later. After a failure nothing
 * is the caller's to free. */
status image_resize(const image *in, int height, int width, image *out) {
    resampler r = {0};
    status st = image_create(out, height, width);
    if (st != STATUS_OK) return st;
    if (height == in->height && width == in->width) {
        memcpy(out->data, in->data, (size_t)height * (size_t)width * 3);
        return STATUS_OK;
    }
    st = resampler_create(&r, in, height, width);
    if (st == STATUS_OK)
        resample(&r, in, out);
    else
        image_destroy(out);
    resampler_destroy(&r);
    return st;
}

/* out [width]: the pixels of in [columns] that cover the centres, floor((2 x + 1) columns / (2
 * width)), counted on instead of divided. `rest` is what the numerator is above the whole pixels
 * passed so far, below 2 width once `in` stands at the right one. */
static void nearest_line(const uint16_t *in, int columns, int width, uint16_t *out) {
    int64_t rest = columns;
    for (int x = 0; x < width; x++, rest += 2 * (int64_t)columns) {
        for (; rest >= 2 * (int64_t)width; rest -= 2 * (int64_t)width) in++;
        out[x] = *in;
    }
}

/* In whole numbers: with floats, a centre that falls on an edge would go either way. */
status labelmap_resize(const labelmap *in, int height, int width, labelmap *out) {
    status st = labelmap_create(out, height, width);
    if (st != STATUS_OK) return st;
    for (int y = 0; y < height; y++) {
        size_t from = ((size_t)(2 * y + 1) * (size_t)in->height) / (2 * (size_t)height);
        const uint16_t *line = in->data + from * (size_t)in->width;
        uint16_t *to = out->data + (size_t)y * (size_t)width;
        if (width == in->width)
            memcpy(to, line, (size_t)width * sizeof *to);
        else
            nearest_line(line, in->width, width, to);
    }
    return STATUS_OK;
}

/* A byte has 256 values: a table has all the results. By a division, where a view (view_image.c)
 * multiplies with the reciprocal: the last bit may differ. Either is part of results that exist;
 * neither may take the place of the other. Colours are taken as 0..1 in every range, so that there
 * is one formula. */
void image_normalize(const image *in, const image_input *input, float *out) {
    const image_input *how = input ? input : &image_input_imagenet;
    float table[3][256];
    size_t from[3];
    for (size_t c = 0; c < 3; c++) {
        float mean = how->mean[c] / how->range, deviation = how->deviation[c] / how->range;
        from[c] = how->bgr ? 2 - c : c;
        for (int v = 0; v < 256; v++) table[c][v] = ((float)v / 255 - mean) / deviation;
    }
    for (size_t i = 0, n = (size_t)in->height * (size_t)in->width; i < n; i++)
        for (size_t c = 0; c < 3; c++) out[3 * i + c] = table[c][in->data[3 * i + from[c]]];
}
