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
    return (view){SIZE, top, left, height, width, flip, false, 1, 1, 1};
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
        assert_int_equal(view_image(&v, &m, out), STATUS_OK);
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
            assert_int_equal(view_image(&v, &m, out), STATUS_OK);
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
        assert_int_equal(view_image(&v, &m, a), STATUS_OK);
        assert_int_equal(view_image(&w, &m, b), STATUS_OK);
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
    assert_int_equal(view_image(&v, &m, before), STATUS_OK);
    v.brightness = 1.35;
    v.contrast = 1.3;
    v.saturation = 0.7;
    for (int i = 0; i < 3 * N; i++)
        sum += x[i] = clamp((before[i] * deviation[i % 3] + mean[i % 3]) * v.brightness);
    for (int i = 0; i < 3 * N; i++) x[i] = clamp((x[i] - sum / (3 * N)) * 1.3 + sum / (3 * N));
    for (int grey = 0; grey < 2; grey++) {
        v.grey = grey;
        assert_int_equal(view_image(&v, &m, after), STATUS_OK);
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

static void views_are_drawn_within_the_image(void **state) {
    (void)state;
    const augment_options o = {
        .crop = 40, .scale_min = 0.5, .scale_max = 1.25, .flip = 0.25, .jitter = 0.4, .grey = 0.2};
    int flips = 0, greys = 0;
    double smallest = 1e9, largest = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        random_stream r = random_begin(3, RANDOM_AUGMENT, 0, i), again = r;
        view v = view_draw(&r, &o, HEIGHT, WIDTH), w = view_draw(&again, &o, HEIGHT, WIDTH);
        assert_true(v.size == 40 && v.top >= 0 && v.left >= 0);
        assert_true(v.top + v.height <= HEIGHT && v.left + v.width <= WIDTH);
        assert_true(v.height >= 32 && v.height <= HEIGHT && v.width <= WIDTH);
        assert_true(fabs(v.brightness - 1) <= 0.4 && fabs(v.contrast - 1) <= 0.4);
        assert_true(fabs(v.saturation - 1) <= 0.4);
        assert_true(v.top == w.top && v.left == w.left && v.saturation == w.saturation);
        flips += v.flip;
        greys += v.grey;
        smallest = fmin(smallest, v.width);
        largest = fmax(largest, v.width);
    }
    assert_in_range(flips, 420, 580);
    assert_in_range(greys, 330, 470);
    assert_true(smallest < 33 && largest > 79);
}

/* A crop that leaves nothing to choose is the whole image. */
static void small_images_are_shown_whole(void **state) {
    (void)state;
    const augment_options o = {.crop = 200, .scale_min = 1, .scale_max = 1};
    random_stream r = random_begin(3, RANDOM_AUGMENT, 0, 0);
    view v = view_draw(&r, &o, HEIGHT, WIDTH);
    assert_true(v.top == 0 && v.left == 0 && v.height == HEIGHT && v.width == WIDTH);
    assert_true(!v.flip && !v.grey && v.brightness == 1 && v.contrast == 1 && v.saturation == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_come_from_their_place),
        cmocka_unit_test(labels_follow_the_image),
        cmocka_unit_test(a_grid_looks_at_its_centres),
        cmocka_unit_test(places_correspond),
        cmocka_unit_test(colours_change_in_order),
        cmocka_unit_test(views_are_drawn_within_the_image),
        cmocka_unit_test(small_images_are_shown_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
