/* The built-in data set: streets, drawn by rules. It is there so that everything can be tried,
 * tested and measured without a download, and it is made hard in the way that real scenes are:
 * colour alone does not tell trees from grass or cars from people, things hide each other, light
 * and noise differ from scene to scene. Kinds of things are drawn from far to near, each over what
 * is there, in the image and in the labels alike. All numbers come from one stream a scene.
 *
 * Sizes and places are shares of the picture, so that a scene of another size is another picture of
 * the same kind, not the same one enlarged. What must not change: the order of the calls of
 * uniform(). Each takes the next number of the scene's stream, and every later thing would be
 * another; data sets and the results of tests would be, too. Textures are no part of it: they are
 * functions of place and of the scene's `noise`, with a number of their own for each use, so that
 * one does not repeat another. */
#include "src/image/synth.h"

#include "src/base/random.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Of light: 0 .. 1, more is overexposed. */
typedef struct colour {
    double r, g, b;
} colour;

typedef struct canvas {
    image *rgb;
    labelmap *label;
    random_stream r;
    uint32_t noise; /* of this scene's textures */
    double horizon; /* row */
} canvas;

const char *synth_class_name(int y) {
    static const char *const name[SYNTH_CLASSES] = {
        "sky", "building", "road", "grass", "tree", "car", "pole", "person"};
    return name[y];
}

/* A value in [0, 1) for a lattice point: integer mixing (Wellons' lowbias32). */
static double lattice(uint32_t seed, int x, int y) {
    uint32_t v = seed ^ ((uint32_t)x * 0x9E3779B1u) ^ ((uint32_t)y * 0x85EBCA77u);
    v = (v ^ (v >> 16)) * 0x7FEB352Du;
    v = (v ^ (v >> 15)) * 0x846CA68Bu;
    return (double)(v ^ (v >> 16)) * 0x1p-32;
}

/* Smooth noise in [0, 1) whose bumps are `size` pixels wide (Perlin's value noise). The weights 3
 * t^2 - 2 t^3 have no slope at lattice points: there are no edges along them. */
static double texture(uint32_t seed, double x, double y, double size) {
    double fx = x / size, fy = y / size;
    int ix = (int)floor(fx), iy = (int)floor(fy);
    double tx = fx - ix, ty = fy - iy;
    tx = tx * tx * (3 - 2 * tx);
    ty = ty * ty * (3 - 2 * ty);
    double a = lattice(seed, ix, iy) * (1 - tx) + lattice(seed, ix + 1, iy) * tx;
    double b = lattice(seed, ix, iy + 1) * (1 - tx) + lattice(seed, ix + 1, iy + 1) * tx;
    return a * (1 - ty) + b * ty;
}

static double uniform(canvas *c, double low, double high) {
    return random_between(&c->r, low, high);
}

static colour shade(colour k, double by) {
    return (colour){k.r * by, k.g * by, k.b * by};
}

static uint8_t to_byte(double v) {
    return (uint8_t)(v <= 0 ? 0 : v >= 1 ? 255 : v * 255 + 0.5);
}

/* Things may reach beyond the picture. The last one drawn wins, in the image and in the labels,
 * which is how things hide each other. */
static void put(canvas *c, int y, int x, colour k, synth_class label) {
    if (y < 0 || x < 0 || y >= c->rgb->height || x >= c->rgb->width) return;
    size_t at = (size_t)y * (size_t)c->rgb->width + (size_t)x;
    c->rgb->data[3 * at] = to_byte(k.r);
    c->rgb->data[3 * at + 1] = to_byte(k.g);
    c->rgb->data[3 * at + 2] = to_byte(k.b);
    c->label->data[at] = (uint16_t)label;
}

/* From clear to overcast; whiter towards the horizon, with clouds. Over the whole picture, ground
 * as well, which is drawn later: no pixel is left without a label. */
static void draw_sky(canvas *c) {
    double grey = uniform(c, 0, 1);
    colour top = {0.35 + 0.3 * grey, 0.55 + 0.15 * grey, 0.85 - 0.1 * grey};
    for (int y = 0; y < c->rgb->height; y++)
        for (int x = 0; x < c->rgb->width; x++) {
            double cloud = texture(c->noise, x, 2.0 * y, c->rgb->width * 0.3);
            double mix = 0.5 * y / (c->horizon + 1) + 0.4 * (cloud > 0.55 ? cloud - 0.55 : 0) * 2;
            colour k = {top.r + (0.95 - top.r) * mix, top.g + (0.95 - top.g) * mix,
                top.b + (0.95 - top.b) * mix};
            put(c, y, x, k, SYNTH_SKY);
        }
}

/* A road of grey asphalt that narrows to the horizon, grass beside it. depth is 0 at the horizon
 * and 1 at the lower edge; off is the distance from the middle of the road in its half widths, of
 * which the first few hundredths have a dashed line. Grass is told from road by its colour, from
 * trees by grain and place. */
static void draw_ground(canvas *c) {
    int height = c->rgb->height, width = c->rgb->width;
    double vanish = uniform(c, 0.3, 0.7) * width, bend = uniform(c, -0.3, 0.3) * width;
    double near = uniform(c, 0.35, 0.6) * width, grey = uniform(c, 0.3, 0.5);
    double green = uniform(c, 0.7, 1.1);
    for (int y = (int)c->horizon; y < height; y++) {
        double depth = (y - c->horizon) / (height - c->horizon);
        double middle = vanish + (0.5 * width - vanish) * depth + bend * depth * (1 - depth);
        for (int x = 0; x < width; x++) {
            double off = fabs(x - middle) / (near * depth + 2);
            double fine = texture(c->noise + 1, x, y, 1.5), coarse = texture(c->noise + 2, x, y, 9);
            if (off < 1) {
                double v = grey + 0.08 * (fine - 0.5) + 0.05 * (coarse - 0.5);
                if (off < 0.03 && fmod(depth * 12, 1) < 0.5) v = 0.85;
                put(c, y, x, (colour){v, v, v + 0.02}, SYNTH_ROAD);
            } else {
                double v = green * (0.75 + 0.35 * (fine - 0.5) + 0.25 * (coarse - 0.5));
                put(c, y, x, (colour){0.33 * v, 0.55 * v, 0.2 * v}, SYNTH_GRASS);
            }
        }
    }
}

/* A wall with rows of windows; its greys are a road's. Its feet may be below the horizon; the
 * ground, drawn next, hides them. */
static void draw_building(canvas *c) {
    int width = c->rgb->width;
    double w = uniform(c, 0.12, 0.35) * width, x0 = uniform(c, -0.1, 1) * width;
    double h = uniform(c, 0.25, 0.85) * c->horizon;
    int bottom = (int)(c->horizon + uniform(c, 0, 0.06) * c->rgb->height);
    double v = uniform(c, 0.3, 0.65), warm = uniform(c, -0.05, 0.15);
    double cell = uniform(c, 0.03, 0.06) * width + 3, lit = uniform(c, 0.1, 0.5);
    colour wall = {v + warm, v, v - warm};
    for (int y = (int)(c->horizon - h); y < bottom; y++)
        for (int x = (int)x0; x < (int)(x0 + w); x++) {
            double px = fmod(x - x0, cell) / cell, py = fmod(y - c->horizon + h, cell) / cell;
            bool window = px > 0.3 && px < 0.75 && py > 0.25 && py < 0.8;
            colour k = window ? (colour){lit, lit, lit + 0.1}
                              : shade(wall, 0.95 + 0.1 * texture(c->noise + 3, x, y, 2));
            put(c, y, x, k, SYNTH_BUILDING);
        }
}

/* Leaves: lumps with the colours of grass, on a thin trunk. The outline is a circle whose radius
 * the texture changes from 0.75 to 1.2 sizes. Red, green and blue are in the proportions of
 * draw_ground()'s grass. */
static void draw_tree(canvas *c) {
    double size = uniform(c, 0.08, 0.22) * c->rgb->height, x0 = uniform(c, 0, 1) * c->rgb->width;
    double base = c->horizon + uniform(c, 0, 0.25) * (c->rgb->height - c->horizon);
    double y0 = base - size * uniform(c, 1.2, 1.8), v0 = uniform(c, 0.55, 1.05);
    for (int y = (int)y0; y < (int)base; y++)
        for (int x = (int)(x0 - 0.08 * size); x <= (int)(x0 + 0.08 * size); x++)
            put(c, y, x, (colour){0.3, 0.22, 0.15}, SYNTH_TREE);
    for (int y = (int)(y0 - 1.3 * size); y < (int)(y0 + 1.3 * size); y++)
        for (int x = (int)(x0 - 1.3 * size); x < (int)(x0 + 1.3 * size); x++) {
            double lump = texture(c->noise + 4, x, y, size * 0.35);
            double radius = hypot(x - x0, y - y0) / size;
            if (radius > 0.75 + 0.45 * lump) continue;
            double v = v0 * (0.45 + 0.7 * texture(c->noise + 5, x, y, 3.5));
            put(c, y, x, (colour){0.33 * v, 0.55 * v, 0.2 * v}, SYNTH_TREE);
        }
}

static colour any_colour(canvas *c) {
    double v = uniform(c, 0.25, 0.9);
    /* One after another: C leaves the order within one list open. */
    double red = v * uniform(c, 0.3, 1), green = v * uniform(c, 0.3, 1);
    double blue = v * uniform(c, 0.3, 1);
    return (colour){red, green, blue};
}

/* Any paint, dark glass and wheels: shape tells it. The nearer, the larger and the lower. u is -1
 * to 1 across, t is 0 on the ground and 1 at the roof: above the middle the sides lean in. */
static void draw_car(canvas *c) {
    double depth = uniform(c, 0.15, 0.9), x0 = uniform(c, 0.05, 0.95) * c->rgb->width;
    double base = c->horizon + depth * (c->rgb->height - c->horizon);
    double h = (0.06 + 0.16 * depth) * c->rgb->height, w = h * uniform(c, 1.4, 2.2);
    colour paint = any_colour(c);
    for (int y = (int)(base - h); y < (int)base; y++)
        for (int x = (int)(x0 - w / 2); x < (int)(x0 + w / 2); x++) {
            double u = (x - x0) / (w / 2), t = (base - y) / h;
            if (t > 0.5 && fabs(u) > 0.95 - 0.6 * (t - 0.5)) continue;
            bool wheel = t < 0.22 && fabs(fabs(u) - 0.62) < 0.2;
            bool glass = t > 0.55 && t < 0.9 && fabs(u) < 0.62;
            colour k = wheel   ? (colour){0.08, 0.08, 0.08}
                       : glass ? (colour){0.2, 0.25, 0.3}
                               : shade(paint, 0.8 + 0.3 * t);
            put(c, y, x, k, SYNTH_CAR);
        }
}

/* Thin: a few pixels wide. */
static void draw_pole(canvas *c) {
    double x0 = uniform(c, 0, 1) * c->rgb->width, v = uniform(c, 0.2, 0.6);
    double base = c->horizon + uniform(c, 0.05, 0.4) * (c->rgb->height - c->horizon);
    double h = uniform(c, 0.3, 0.6) * c->rgb->height;
    double w = fmax(1.5, c->rgb->width * uniform(c, 0.008, 0.016));
    for (int y = (int)(base - h); y < (int)base; y++)
        for (int x = (int)(x0 - w / 2); x < (int)(x0 - w / 2 + w + 0.5); x++)
            put(c, y, x, (colour){v, v, v}, SYNTH_POLE);
}

/* Head, coat, legs; clothes of any colour, as cars are. u and t as for cars. */
static void draw_person(canvas *c) {
    double depth = uniform(c, 0.1, 0.8), x0 = uniform(c, 0.05, 0.95) * c->rgb->width;
    double base = c->horizon + depth * (c->rgb->height - c->horizon);
    double h = (0.1 + 0.2 * depth) * c->rgb->height, w = h * 0.32;
    colour coat = any_colour(c), legs = shade(any_colour(c), 0.6);
    double skin = uniform(c, 0.35, 0.85);
    for (int y = (int)(base - h); y < (int)base; y++)
        for (int x = (int)(x0 - w / 2); x <= (int)(x0 + w / 2); x++) {
            double t = (base - y) / h, u = (x - x0) / (w / 2);
            bool head = t > 0.82 && hypot(u * 0.9, (t - 0.91) / 0.09 * 0.5) < 0.5;
            bool body = t > 0.45 && t <= 0.82 && fabs(u) < 0.9;
            bool leg = t <= 0.45 && fabs(fabs(u) - 0.35) < 0.28;
            if (!head && !body && !leg) continue;
            colour k = head ? (colour){skin, skin * 0.78, skin * 0.65} : body ? coat : legs;
            put(c, y, x, k, SYNTH_PERSON);
        }
}

/* Light of the whole scene, a shadow across it, the camera's noise. In the image alone, when all is
 * drawn: labels are what a thing is, whatever light falls on it. The noise is drawn last of all, so
 * that it moves nothing else. */
static void expose(canvas *c) {
    double gain = uniform(c, 0.65, 1.2), warm = uniform(c, -0.08, 0.08);
    double noise = uniform(c, 0.01, 0.05), angle = uniform(c, 0, 6.283);
    for (int y = 0; y < c->rgb->height; y++)
        for (int x = 0; x < c->rgb->width; x++) {
            double across = (cos(angle) * x / c->rgb->width + sin(angle) * y / c->rgb->height);
            double light = gain * (1 + 0.2 * across);
            uint8_t *p = c->rgb->data + ((size_t)y * (size_t)c->rgb->width + (size_t)x) * 3;
            const double tint[3] = {1 + warm, 1, 1 - warm};
            for (int k = 0; k < 3; k++)
                p[k] = to_byte(p[k] / 255.0 * light * tint[k] + noise * random_normal(&c->r));
        }
}

/* least to most of them. */
static void repeat(canvas *c, void (*draw)(canvas *), int least, int most) {
    int n = least + (int)random_below(&c->r, (uint64_t)(most - least + 1));
    for (int i = 0; i < n; i++) draw(c);
}

status synth_draw(
    uint64_t seed, uint64_t index, int height, int width, image *rgb, labelmap *label) {
    status st = image_create(rgb, height, width);
    if (st == STATUS_OK) st = labelmap_create(label, height, width);
    if (st != STATUS_OK) {
        image_destroy(rgb);
        return st;
    }
    canvas c = {rgb, label, random_begin(seed, RANDOM_SYNTH, 0, index), 0, 0};
    c.noise = random_u32(&c.r);
    c.horizon = uniform(&c, 0.35, 0.6) * height;
    draw_sky(&c);
    repeat(&c, draw_building, 2, 5);
    draw_ground(&c);
    repeat(&c, draw_tree, 1, 4);
    repeat(&c, draw_pole, 1, 3);
    repeat(&c, draw_car, 1, 3);
    repeat(&c, draw_person, 1, 3);
    expose(&c);
    return STATUS_OK;
}
