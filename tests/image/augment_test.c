#include "src/image/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { HEIGHT = 60, WIDTH = 80, SIZE = 24 };

static const double mean[3] = {.485, .456, .406}, deviation[3] = {.229, .224, .225};

/* Without effect on colours. */
static view plain(double top, double left, double height, double width, bool flip) {
    return (view){.size = SIZE,
        .top = top,
        .left = left,
        .height = height,
        .width = width,
        .flip = flip,
        .colour = colours_none(COLOUR_MEAN)};
}

/* Red grows with the column, green with the row, so that a colour tells the place. */
static image ramp(void) {
    image m;
    assert_int_equal(image_create(&m, HEIGHT, WIDTH), STATUS_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *p = m.data + 3 * (y * WIDTH + x);
            p[0] = (uint8_t)(3 * x);
            p[1] = (uint8_t)(4 * y);
            p[2] = 50;
        }
    return m;
}

/* The place that pixel (i, j) of a view of the ramp shows, in pixels of the image. */
static void place(const float *out, int i, int j, double *y, double *x) {
    const float *p = out + 3 * (i * SIZE + j);
    *x = (p[0] * deviation[0] + mean[0]) * 255 / 3 + 0.5;
    *y = (p[1] * deviation[1] + mean[1]) * 255 / 4 + 0.5;
}

static void pixels_come_from_their_place(void **state) {
    (void)state;
    image m = ramp();
    float out[SIZE * SIZE * 3];
    for (int flip = 0; flip < 2; flip++) {
        view v = plain(5.25, 11.5, 30, 48, flip);
        assert_int_equal(view_image(&v, HEIGHT, WIDTH, &m, out), STATUS_OK);
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                double y, x, column = flip ? SIZE - 1 - j : j;
                place(out, i, j, &y, &x);
                assert_true(fabs(y - (5.25 + (i + 0.5) * 30 / SIZE)) < 1e-3);
                assert_true(fabs(x - (11.5 + (column + 0.5) * 48 / SIZE)) < 1e-3);
            }
    }
    image_destroy(&m);
}

/* Whatever the resolution of the labels, a label is that of the place that the image shows. */
static void labels_follow_the_image(void **state) {
    (void)state;
    static const int size[][2] = {{HEIGHT, WIDTH}, {8, 10}, {15, 20}, {120, 160}};
    image m = ramp();
    float out[SIZE * SIZE * 3];
    uint16_t got[SIZE * SIZE];
    for (size_t n = 0; n < sizeof size / sizeof *size; n++) {
        labelmap map;
        int height = size[n][0], width = size[n][1];
        assert_int_equal(labelmap_create(&map, height, width), STATUS_OK);
        for (int i = 0; i < height * width; i++) map.data[i] = (uint16_t)i;
        for (int flip = 0; flip < 2; flip++) {
            view v = plain(7.7, 3.1, 41, 66, flip);
            assert_int_equal(view_image(&v, HEIGHT, WIDTH, &m, out), STATUS_OK);
            view_labels(&v, HEIGHT, WIDTH, &map, SIZE, SIZE, got);
            for (int i = 0; i < SIZE; i++)
                for (int j = 0; j < SIZE; j++) {
                    double y, x;
                    place(out, i, j, &y, &x);
                    int row = got[i * SIZE + j] / width, column = got[i * SIZE + j] % width;
                    assert_true(fabs(y * height / HEIGHT - (row + 0.5)) < 0.5 + 1e-3);
                    assert_true(fabs(x * width / WIDTH - (column + 0.5)) < 0.5 + 1e-3);
                }
        }
        labelmap_destroy(&map);
    }
    image_destroy(&m);
}

/* A coarser grid of labels looks at the centres of its own cells. */
static void a_grid_looks_at_its_centres(void **state) {
    (void)state;
    labelmap map;
    uint16_t got[4];
    view v = plain(0, 0, HEIGHT, WIDTH, true);
    assert_int_equal(labelmap_create(&map, HEIGHT, WIDTH), STATUS_OK);
    for (int i = 0; i < HEIGHT * WIDTH; i++) map.data[i] = (uint16_t)i;
    view_labels(&v, HEIGHT, WIDTH, &map, 2, 2, got);
    assert_int_equal(got[0], 15 * WIDTH + 60);
    assert_int_equal(got[1], 15 * WIDTH + 20);
    assert_int_equal(got[2], 45 * WIDTH + 60);
    assert_int_equal(got[3], 45 * WIDTH + 20);
    labelmap_destroy(&map);
}

static void places_correspond(void **state) {
    (void)state;
    image m = ramp();
    float a[SIZE * SIZE * 3], b[SIZE * SIZE * 3];
    int inside = 0, outside = 0;
    for (int flips = 0; flips < 4; flips++) {
        view v = plain(3, 6, 40, 40, flips & 1), w = plain(10.5, 20.25, 36, 30, flips & 2);
        assert_int_equal(view_image(&v, HEIGHT, WIDTH, &m, a), STATUS_OK);
        assert_int_equal(view_image(&w, HEIGHT, WIDTH, &m, b), STATUS_OK);
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                double y, x, ya, xa, yb, xb, back_y, back_x;
                double from_y = (i + 0.5) / SIZE, from_x = (j + 0.5) / SIZE;
                if (!view_correspond(&v, &w, from_y, from_x, &y, &x)) {
                    outside++;
                    continue;
                }
                inside++;
                assert_true(view_correspond(&w, &v, y, x, &back_y, &back_x));
                assert_true(fabs(back_y - from_y) < 1e-12 && fabs(back_x - from_x) < 1e-12);
                place(a, i, j, &ya, &xa);
                place(b, (int)(y * SIZE), (int)(x * SIZE), &yb, &xb);
                assert_true(fabs(ya - yb) <= 0.5 * 36 / SIZE + 1e-3);
                assert_true(fabs(xa - xb) <= 0.5 * 30 / SIZE + 1e-3);
            }
    }
    assert_true(inside > 500 && outside > 500);
    image_destroy(&m);
}

static double clamp(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Brightness, then contrast around the mean of the view, then saturation around each pixel's. */
static void colours_change_in_order(void **state) {
    (void)state;
    enum { N = SIZE * SIZE };
    image m = ramp();
    float before[3 * N], after[3 * N];
    double x[3 * N], sum = 0;
    view v = plain(0, 0, HEIGHT, WIDTH, false);
    assert_int_equal(view_image(&v, HEIGHT, WIDTH, &m, before), STATUS_OK);
    v.colour.factor[COLOUR_BRIGHTNESS] = 1.35;
    v.colour.factor[COLOUR_CONTRAST] = 1.3;
    v.colour.factor[COLOUR_SATURATION] = 0.7;
    for (int i = 0; i < 3 * N; i++)
        sum += x[i] = clamp((before[i] * deviation[i % 3] + mean[i % 3]) * 1.35);
    for (int i = 0; i < 3 * N; i++) x[i] = clamp((x[i] - sum / (3 * N)) * 1.3 + sum / (3 * N));
    for (int grey = 0; grey < 2; grey++) {
        v.colour.grey = grey;
        if (grey) v.colour.factor[COLOUR_SATURATION] = 1;
        assert_int_equal(view_image(&v, HEIGHT, WIDTH, &m, after), STATUS_OK);
        for (int i = 0; i < N; i++) {
            double own = (x[3 * i] + x[3 * i + 1] + x[3 * i + 2]) / 3;
            for (int k = 0; k < 3; k++) {
                double want = grey ? own : clamp((x[3 * i + k] - own) * 0.7 + own);
                double got = after[3 * i + k] * deviation[k] + mean[k];
                assert_true(fabs(got - want) < 1e-5);
            }
        }
    }
    image_destroy(&m);
}

/* What the defaults of the settings make. */
static augment_options usual(void) {
    return (augment_options){.crop = 40,
        .scale_min = 0.5,
        .scale_max = 1.25,
        .flip = 0.25,
        .jitter = 1,
        .brightness = 0.4,
        .contrast = 0.4,
        .saturation = 0.4,
        .grey = 0.2,
        .blur_min = 0.1,
        .blur_max = 2};
}

static view drawn(const augment_options *o, uint64_t item) {
    random_stream r = random_begin(3, RANDOM_AUGMENT, 0, item);
    return view_draw(&r, o, HEIGHT, WIDTH);
}

static void views_are_drawn_within_the_image(void **state) {
    (void)state;
    augment_options o = usual();
    int flips = 0, greys = 0;
    double smallest = 1e9, largest = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        view v = drawn(&o, i), w = drawn(&o, i);
        const double *factor = v.colour.factor;
        assert_true(v.size == 40 && v.top >= 0 && v.left >= 0);
        assert_true(v.top + v.height <= HEIGHT && v.left + v.width <= WIDTH);
        assert_true(v.height >= 32 && v.height <= HEIGHT && v.width <= WIDTH);
        for (int k = 0; k < COLOUR_HUE; k++)
            assert_true(fabs(factor[k] - 1) <= 0.4 || (v.colour.grey && factor[k] == 0));
        assert_true(factor[COLOUR_HUE] == 0 && v.blur == 0 && !v.smooth);
        assert_true(v.top == w.top && v.left == w.left && factor[2] == w.colour.factor[2]);
        flips += v.flip;
        greys += v.colour.grey;
        smallest = fmin(smallest, v.width);
        largest = fmax(largest, v.width);
    }
    assert_in_range(flips, 420, 580);
    assert_in_range(greys, 330, 470);
    assert_true(smallest < 33 && largest > 79);
}

/* What a new key asks for changes nothing else of a view. */
static void changes_are_drawn_apart(void **state) {
    (void)state;
    augment_options o = usual(), more = usual();
    more.hue = 0.1;
    more.blur = 0.5;
    more.jitter = 0.8;
    more.colours = COLOUR_LUMINANCE;
    int blurred = 0, changed = 0, first[COLOUR_CHANGES] = {0};
    for (uint64_t i = 0; i < 2000; i++) {
        view v = drawn(&o, i), w = drawn(&more, i);
        assert_true(v.top == w.top && v.left == w.left && v.height == w.height);
        assert_true(v.flip == w.flip && v.colour.grey == w.colour.grey);
        bool changes = w.colour.factor[COLOUR_BRIGHTNESS] != 1;
        if (changes)
            assert_true(v.colour.factor[COLOUR_CONTRAST] == w.colour.factor[COLOUR_CONTRAST]);
        assert_true(fabs(w.colour.factor[COLOUR_HUE]) <= 0.1);
        assert_true(w.blur == 0 || (w.blur >= 0.1 && w.blur <= 2));
        changed += changes;
        blurred += w.blur > 0;
        first[w.colour.order[0]] += changes;
    }
    assert_in_range(changed, 1530, 1670);
    assert_in_range(blurred, 900, 1100);
    for (int k = 0; k < COLOUR_CHANGES; k++) assert_in_range(first[k], 330, 480);
}

/* torchvision's RandomResizedCrop: share of the area, aspect, and the central crop where ten
 * attempts find none. */
static void crops_by_area_are_in_range(void **state) {
    (void)state;
    augment_options o = usual();
    o.rule = CROP_AREA;
    o.area_min = 0.08;
    o.area_max = 0.5;
    o.aspect_min = 3.0 / 4;
    o.aspect_max = 4.0 / 3;
    double area = 0, wide = 0;
    enum { DRAWS = 4000 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        view v = drawn(&o, i);
        double share = v.height * v.width / (HEIGHT * WIDTH), aspect = v.width / v.height;
        assert_true(v.smooth && v.top >= 0 && v.left >= 0);
        assert_true(v.top + v.height <= HEIGHT + 1e-9 && v.left + v.width <= WIDTH + 1e-9);
        assert_true(share > 0.08 - 1e-9 && share < 0.5 + 1e-9);
        assert_true(aspect > 0.75 - 1e-9 && aspect < 4.0 / 3 + 1e-9);
        assert_true(v.height / o.crop >= view_reduction(&o, HEIGHT, WIDTH) - 1e-9 ||
                    view_reduction(&o, HEIGHT, WIDTH) == 1);
        area += share / DRAWS;
        wide += (aspect > 1) / (double)DRAWS;
    }
    assert_true(fabs(area - 0.29) < 0.01 && fabs(wide - 0.5) < 0.03);
    o.area_min = o.area_max = 1;
    o.aspect_min = o.aspect_max = 1;
    view v = drawn(&o, 0);
    assert_true(v.height == HEIGHT && v.width == HEIGHT && v.top == 0 && v.left == 10);
}

/* No view shows the image at less than the stated reduction, and some come near. */
static void reductions_are_the_least_of_all_views(void **state) {
    (void)state;
    augment_options o = usual();
    enum { H = 1200, W = 1600 };
    assert_true(view_reduction(&o, H, W) == 1);
    o.scale_max = 0.25;
    o.scale_min = 0.1;
    assert_true(view_reduction(&o, H, W) == 4);
    assert_true(view_reduction(&o, 80, 1600) == 2);
    o.rule = CROP_AREA;
    o.area_min = 0.2;
    o.area_max = 0.4;
    o.aspect_min = 0.5;
    o.aspect_max = 1.5;
    double least = view_reduction(&o, H, W), seen = 1e9;
    for (uint64_t i = 0; i < 5000; i++) {
        random_stream r = random_begin(5, RANDOM_AUGMENT, 0, i);
        view v = view_draw(&r, &o, H, W);
        seen = fmin(seen, fmin(v.height, v.width) / o.crop);
    }
    assert_true(seen >= least && seen < 1.1 * least);
}

/* A crop that leaves nothing to choose is the whole image. */
static void small_images_are_shown_whole(void **state) {
    (void)state;
    const augment_options o = {.crop = 200, .scale_min = 1, .scale_max = 1};
    view v = drawn(&o, 0);
    assert_true(v.top == 0 && v.left == 0 && v.height == HEIGHT && v.width == WIDTH);
    assert_true(!v.flip && !v.colour.grey && v.blur == 0);
    for (int k = 0; k < COLOUR_HUE; k++) assert_true(v.colour.factor[k] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_come_from_their_place),
        cmocka_unit_test(labels_follow_the_image),
        cmocka_unit_test(a_grid_looks_at_its_centres),
        cmocka_unit_test(places_correspond),
        cmocka_unit_test(colours_change_in_order),
        cmocka_unit_test(views_are_drawn_within_the_image),
        cmocka_unit_test(changes_are_drawn_apart),
        cmocka_unit_test(crops_by_area_are_in_range),
        cmocka_unit_test(reductions_are_the_least_of_all_views),
        cmocka_unit_test(small_images_are_shown_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
