#include "src/image/augment.h"

#include "src/base/memory.h"

#include <math.h>

view view_draw(random_stream *r, const augment_options *o, int image_height, int image_width) {
    view v = {.size = o->crop};
    double scale = random_between(r, o->scale_min, o->scale_max);
    v.height = fmin(image_height, o->crop / scale);
    v.width = fmin(image_width, o->crop / scale);
    v.top = random_between(r, 0, image_height - v.height);
    v.left = random_between(r, 0, image_width - v.width);
    v.flip = random_uniform(r) < o->flip;
    v.brightness = 1 + random_between(r, -o->jitter, o->jitter);
    v.contrast = 1 + random_between(r, -o->jitter, o->jitter);
    v.saturation = 1 + random_between(r, -o->jitter, o->jitter);
    v.grey = random_uniform(r) < o->grey;
    return v;
}

/* Where column j of `count` looks in the image, in pixels; the flip mirrors the view. */
static double view_x(const view *v, double j, int count) {
    double u = (j + 0.5) / count;
    return v->left + (v->flip ? 1 - u : u) * v->width;
}

static double view_y(const view *v, double i, int count) {
    return v->top + (i + 0.5) / count * v->height;
}

typedef struct tap {
    int first, second;
    float weight;
} tap;

/* Between which pixels' centres a position lies. */
static tap tap_at(double position, int size) {
    double x = position - 0.5;
    if (x < 0) x = 0;
    if (x > size - 1) x = size - 1;
    tap t = {.first = (int)x};
    t.second = t.first + 1 < size ? t.first + 1 : t.first;
    t.weight = (float)(x - t.first);
    return t;
}

static void sample_bilinear(const view *v, const image *in, const tap *columns, float *out) {
    for (int i = 0; i < v->size; i++) {
        tap r = tap_at(view_y(v, i, v->size), in->height);
        const uint8_t *a = in->data + (size_t)r.first * (size_t)in->width * 3;
        const uint8_t *b = in->data + (size_t)r.second * (size_t)in->width * 3;
        for (int j = 0; j < v->size; j++) {
            const tap *c = &columns[j];
            for (int k = 0; k < 3; k++) {
                float p =
                    a[3 * c->first + k] + c->weight * (a[3 * c->second + k] - a[3 * c->first + k]);
                float q =
                    b[3 * c->first + k] + c->weight * (b[3 * c->second + k] - b[3 * c->first + k]);
                *out++ = (p + r.weight * (q - p)) * (1.f / 255);
            }
        }
    }
}

static float clamp(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Brightness, contrast around the mean, saturation around the pixel's grey; each clamped. */
static void jitter(const view *v, float *x, size_t pixels) {
    double sum = 0;
    float b = (float)v->brightness, c = (float)v->contrast, s = (float)v->saturation;
    for (size_t i = 0; i < 3 * pixels; i++) {
        x[i] = clamp(x[i] * b);
        sum += x[i];
    }
    float mean = (float)(sum / (3 * (double)pixels));
    if (v->grey) s = 0;
    for (size_t i = 0; i < pixels; i++) {
        float *p = x + 3 * i;
        for (int k = 0; k < 3; k++) p[k] = clamp((p[k] - mean) * c + mean);
        float grey = (p[0] + p[1] + p[2]) / 3;
        for (int k = 0; k < 3; k++) p[k] = clamp((p[k] - grey) * s + grey);
    }
}

status view_image(const view *v, const image *in, float *out) {
    static const float mean[3] = {.485f, .456f, .406f}, deviation[3] = {.229f, .224f, .225f};
    size_t pixels = (size_t)v->size * (size_t)v->size;
    tap *columns = memory_alloc((size_t)v->size, sizeof *columns, "view");
    if (!columns) return STATUS_FAILED;
    for (int j = 0; j < v->size; j++) columns[j] = tap_at(view_x(v, j, v->size), in->width);
    sample_bilinear(v, in, columns, out);
    jitter(v, out, pixels);
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < 3; k++) out[3 * i + k] = (out[3 * i + k] - mean[k]) / deviation[k];
    memory_free(columns);
    return STATUS_OK;
}

static size_t nearest(double position, double image_size, int size) {
    double x = position / image_size * size;
    return x < 0 ? 0 : x >= size ? (size_t)size - 1 : (size_t)x;
}

void view_labels(const view *v, int image_height, int image_width, const labelmap *in, int height,
    int width, uint16_t *out) {
    for (int i = 0; i < height; i++) {
        size_t y = nearest(view_y(v, i, height), image_height, in->height);
        for (int j = 0; j < width; j++) {
            size_t x = nearest(view_x(v, j, width), image_width, in->width);
            *out++ = in->data[y * (size_t)in->width + x];
        }
    }
}

bool view_correspond(
    const view *from, const view *to, double y, double x, double *to_y, double *to_x) {
    double py = from->top + y * from->height;
    double px = from->left + (from->flip ? 1 - x : x) * from->width;
    double ty = (py - to->top) / to->height, tx = (px - to->left) / to->width;
    *to_y = ty;
    *to_x = to->flip ? 1 - tx : tx;
    return ty >= 0 && ty < 1 && *to_x >= 0 && *to_x < 1;
}
