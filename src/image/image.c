#include "src/image/image.h"

#include "src/base/log.h"
#include "src/base/memory.h"

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

/* Which inputs an output is the weighted mean of, along one axis. */
typedef struct taps {
    int first, count;
    float *weight; /* borrowed from one block */
} taps;

/* Triangle filter whose support grows with the reduction, as Pillow's. weight [out, longest]. */
static void plan_taps(int in, int out, taps *t, float *weight, int longest) {
    double scale = (double)in / out, support = scale > 1 ? scale : 1;
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int first = (int)fmax(0, floor(centre - support + 0.5));
        int last = (int)fmin(in, floor(centre + support + 0.5));
        t[i] = (taps){first, last - first, weight + (size_t)i * (size_t)longest};
        for (int k = 0; k < t[i].count; k++) {
            double w = 1 - fabs((first + k - centre + 0.5) / support);
            t[i].weight[k] = (float)(w > 0 ? w : 0);
            sum += t[i].weight[k];
        }
        for (int k = 0; k < t[i].count; k++) t[i].weight[k] = (float)(t[i].weight[k] / sum);
    }
}

static int longest_taps(int in, int out) {
    double scale = (double)in / out;
    return 2 * (int)ceil(scale > 1 ? scale : 1) + 2;
}

typedef struct resampler {
    taps *rows, *columns;
    float *weight, *line; /* line: [in rows, width, 3] of horizontally resampled values */
} resampler;

static status resampler_create(resampler *r, const image *in, int height, int width) {
    int lh = longest_taps(in->height, height), lw = longest_taps(in->width, width);
    size_t h = (size_t)height, w = (size_t)width;
    r->rows = memory_alloc(h, sizeof *r->rows, "resize");
    r->columns = memory_alloc(w, sizeof *r->columns, "resize");
    r->weight = memory_alloc(h * (size_t)lh + w * (size_t)lw, sizeof *r->weight, "resize");
    r->line = memory_alloc((size_t)in->height * w, 3 * sizeof *r->line, "resize");
    if (!r->rows || !r->columns || !r->weight || !r->line) return STATUS_FAILED;
    plan_taps(in->height, height, r->rows, r->weight, lh);
    plan_taps(in->width, width, r->columns, r->weight + h * (size_t)lh, lw);
    return STATUS_OK;
}

static void resampler_destroy(resampler *r) {
    memory_free(r->rows);
    memory_free(r->columns);
    memory_free(r->weight);
    memory_free(r->line);
}

static uint8_t to_byte(float v) {
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : v + 0.5f);
}

static void resample_columns(const resampler *r, const image *in, int width) {
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < width; x++) {
            const taps *t = &r->columns[x];
            const uint8_t *from = in->data + ((size_t)y * (size_t)in->width + (size_t)t->first) * 3;
            float sum[3] = {0};
            for (int k = 0; k < t->count; k++)
                for (int c = 0; c < 3; c++) sum[c] += t->weight[k] * from[3 * k + c];
            /* Pillow rounds between its two passes. */
            for (int c = 0; c < 3; c++)
                r->line[((size_t)y * (size_t)width + (size_t)x) * 3 + (size_t)c] = to_byte(sum[c]);
        }
}

static void resample_rows(const resampler *r, image *out) {
    size_t row = (size_t)out->width * 3;
    for (int y = 0; y < out->height; y++)
        for (size_t x = 0; x < row; x++) {
            const taps *t = &r->rows[y];
            float sum = 0;
            for (int k = 0; k < t->count; k++)
                sum += t->weight[k] * r->line[(size_t)(t->first + k) * row + x];
            out->data[(size_t)y * row + x] = to_byte(sum);
        }
}

status image_resize(const image *in, int height, int width, image *out) {
    resampler r = {0};
    status st = image_create(out, height, width);
    if (st != STATUS_OK) return st;
    if (height == in->height && width == in->width) {
        memcpy(out->data, in->data, (size_t)height * (size_t)width * 3);
        return STATUS_OK;
    }
    st = resampler_create(&r, in, height, width);
    if (st == STATUS_OK) {
        resample_columns(&r, in, width);
        resample_rows(&r, out);
    } else {
        image_destroy(out);
    }
    resampler_destroy(&r);
    return st;
}

/* out [width]: the pixels of in [columns] that cover the centres, floor((2 x + 1) columns / (2
 * width)), counted on instead of divided. */
static void nearest_line(const uint16_t *in, int columns, int width, uint16_t *out) {
    int64_t rest = columns;
    for (int x = 0; x < width; x++, rest += 2 * (int64_t)columns) {
        for (; rest >= 2 * (int64_t)width; rest -= 2 * (int64_t)width) in++;
        out[x] = *in;
    }
}

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

void image_normalize(const image *in, float *out) {
    static const float mean[3] = {.485f, .456f, .406f}, deviation[3] = {.229f, .224f, .225f};
    float table[3][256];
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) table[c][v] = ((float)v / 255 - mean[c]) / deviation[c];
    for (size_t i = 0, n = (size_t)in->height * (size_t)in->width; i < n; i++)
        for (size_t c = 0; c < 3; c++) out[3 * i + c] = table[c][in->data[3 * i + c]];
}
