/* A view is first drawn, as a handful of numbers, then applied to whatever shows the same image:
 * its pixels, its labels at the network's stride, a point of another view. Geometry is in pixels of
 * the original image, as real numbers, and never rounded to whole pixels: image and labels may be
 * held at different resolutions and still show the same place.
 *
 * Numbers are drawn in one order, also those that turn out not to be needed: one option more or
 * less does not change what the others draw. */
#include "src/image/augment.h"

#include <math.h>

/* crop / scale pixels. */
static void crop_by_scale(
    random_stream *r, const augment_options *o, int image_height, int image_width, view *v) {
    double scale = random_between(r, o->scale_min, o->scale_max);
    v->height = fmin(image_height, o->crop / scale);
    v->width = fmin(image_width, o->crop / scale);
    v->top = random_between(r, 0, image_height - v->height);
    v->left = random_between(r, 0, image_width - v->width);
}

/* The largest one whose aspect is in range. */
static void crop_centre(const augment_options *o, int image_height, int image_width, view *v) {
    double aspect = fmin(fmax((double)image_width / image_height, o->aspect_min), o->aspect_max);
    v->width = fmin(image_width, image_height * aspect);
    v->height = fmin(image_height, image_width / aspect);
    v->top = (image_height - v->height) / 2;
    v->left = (image_width - v->width) / 2;
}

/* torchvision's RandomResizedCrop.get_params, without its rounding to whole pixels. */
static void crop_by_area(
    random_stream *r, const augment_options *o, int image_height, int image_width, view *v) {
    enum { ATTEMPTS = 10 };
    double area = (double)image_height * image_width;
    for (int i = 0; i < ATTEMPTS; i++) {
        double part = area * random_between(r, o->area_min, o->area_max);
        double aspect = exp(random_between(r, log(o->aspect_min), log(o->aspect_max)));
        v->width = sqrt(part * aspect);
        v->height = sqrt(part / aspect);
        if (v->width > image_width || v->height > image_height) continue;
        v->top = random_between(r, 0, image_height - v->height);
        v->left = random_between(r, 0, image_width - v->width);
        return;
    }
    crop_centre(o, image_height, image_width, v);
}

/* A factor around 1, at least 0. */
static double change(random_stream *r, double most) {
    return random_between(r, most > 1 ? 0 : 1 - most, 1 + most);
}

/* Everything is drawn, then what does not apply is dropped. */
static colours draw_colours(random_stream *r, const augment_options *o) {
    colours c = colours_none(o->colours);
    c.factor[COLOUR_BRIGHTNESS] = change(r, o->brightness);
    c.factor[COLOUR_CONTRAST] = change(r, o->contrast);
    c.factor[COLOUR_SATURATION] = change(r, o->saturation);
    bool grey = random_uniform(r) < o->grey;
    c.factor[COLOUR_HUE] = random_between(r, -o->hue, o->hue);
    uint32_t order[COLOUR_CHANGES];
    random_permutation(r, order, COLOUR_CHANGES);
    for (int k = 0; k < COLOUR_CHANGES && o->colours == COLOUR_LUMINANCE; k++)
        c.order[k] = (int)order[k];
    if (random_uniform(r) >= o->jitter) c = colours_none(o->colours);
    c.grey = grey;
    /* Around the mean of the channels, no saturation is grey. */
    if (grey && o->colours == COLOUR_MEAN) c.factor[COLOUR_SATURATION] = 0;
    return c;
}

view view_draw(random_stream *r, const augment_options *o, int image_height, int image_width) {
    view v = {.size = o->crop, .smooth = o->rule == CROP_AREA, .input = o->input};
    if (o->rule == CROP_AREA)
        crop_by_area(r, o, image_height, image_width, &v);
    else
        crop_by_scale(r, o, image_height, image_width, &v);
    v.flip = random_uniform(r) < o->flip;
    v.colour = draw_colours(r, o);
    bool blur = random_uniform(r) < o->blur;
    double sigma = random_between(r, o->blur_min, o->blur_max);
    v.blur = blur ? sigma : 0;
    return v;
}

/* The least height and width that a view can show, over the view's size: a JPEG may be decoded at
 * so many times less than its own size, which is cheap, and no view is the worse for it. */
double view_reduction(const augment_options *o, int image_height, int image_width) {
    double least = fmin(o->crop / o->scale_max, fmin(image_height, image_width));
    if (o->rule == CROP_AREA) {
        double area = o->area_min * image_height * image_width;
        view v;
        crop_centre(o, image_height, image_width, &v);
        least = fmin(
            fmin(sqrt(area / o->aspect_max), sqrt(area * o->aspect_min)), fmin(v.height, v.width));
    }
    return fmax(1, least / o->crop);
}

/* Where column j of `count` looks in the image, in pixels; the flip mirrors the view. */
static double view_x(const view *v, double j, int count) {
    double u = (j + 0.5) / count;
    return v->left + (v->flip ? 1 - u : u) * v->width;
}

/* A view is never upside down. */
static double view_y(const view *v, double i, int count) {
    return v->top + (i + 0.5) / count * v->height;
}

/* The pixel of an axis of `size` that covers a position on the image; labels have no half-way. */
static size_t nearest(double position, double image_size, int size) {
    double x = position / image_size * size;
    return x < 0 ? 0 : x >= size ? (size_t)size - 1 : (size_t)x;
}

/* Columns are looked up once for a block of them, not once for each row. */
void view_labels(const view *v, int image_height, int image_width, const labelmap *in, int height,
    int width, uint16_t *out) {
    enum { BLOCK = 256 };
    size_t x[BLOCK]; /* of the columns of a block */
    for (int begin = 0; begin < width; begin += BLOCK) {
        int n = width - begin < BLOCK ? width - begin : BLOCK;
        for (int j = 0; j < n; j++)
            x[j] = nearest(view_x(v, begin + j, width), image_width, in->width);
        for (int i = 0; i < height; i++) {
            size_t y = nearest(view_y(v, i, height), image_height, in->height);
            const uint16_t *from = in->data + y * (size_t)in->width;
            uint16_t *to = out + (size_t)i * (size_t)width + begin;
            for (int j = 0; j < n; j++) to[j] = from[x[j]];
        }
    }
}

/* By way of the image: pairs of pixels that show the same place are positives without any label. */
bool view_correspond(
    const view *from, const view *to, double y, double x, double *to_y, double *to_x) {
    double py = from->top + y * from->height;
    double px = from->left + (from->flip ? 1 - x : x) * from->width;
    double ty = (py - to->top) / to->height, tx = (px - to->left) / to->width;
    *to_y = ty;
    *to_x = to->flip ? 1 - tx : tx;
    return ty >= 0 && ty < 1 && *to_x >= 0 && *to_x < 1;
}
