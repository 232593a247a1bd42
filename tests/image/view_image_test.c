/* Colours, blur and resizing against torchvision's formulas: tests/fixtures/views.bin. */
#include "src/image/augment.h"
#include "src/image/blur.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { COLOURS, BLUR, RESIZE, KINDS };

static void read_all(FILE *f, void *to, size_t size, size_t n) {
    assert_int_equal(fread(to, size, n, f), n);
}

static void *room(size_t n, size_t size) {
    void *p = malloc(n * size);
    assert_non_null(p);
    return p;
}

static void compare(const float *got, const float *wanted, size_t n, double tolerance) {
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - wanted[i]) <= tolerance))
            fail_msg("element %zu: %g, not %g", i, (double)got[i], (double)wanted[i]);
}

/* As view_image does: what comes before the contrast, the mean, the rest. */
static void check_colours(FILE *f) {
    int32_t head[7];
    float factor[COLOUR_CHANGES];
    read_all(f, head, sizeof *head, 7);
    read_all(f, factor, sizeof *factor, COLOUR_CHANGES);
    size_t n = (size_t)head[0];
    float *x = room(3 * n, sizeof *x), *wanted = room(3 * n, sizeof *wanted);
    read_all(f, x, sizeof *x, 3 * n);
    read_all(f, wanted, sizeof *wanted, 3 * n);
    colours c = colours_none(head[1] ? COLOUR_LUMINANCE : COLOUR_MEAN);
    for (int k = 0; k < COLOUR_CHANGES; k++) {
        c.order[k] = head[2 + k];
        c.factor[k] = factor[k];
    }
    c.grey = head[6];
    int before = colours_before_contrast(&c);
    colours_change(&c, 0, before, 0, n, x);
    float mean = (float)(colours_grey_sum(&c, n, x) / (double)n);
    colours_change(&c, before, COLOUR_CHANGES, mean, n, x);
    colours_grey(&c, n, x);
    compare(x, wanted, 3 * n, 5e-6);
    free(x);
    free(wanted);
}

static void check_blur(FILE *f) {
    int32_t size;
    float sigma;
    read_all(f, &size, sizeof size, 1);
    read_all(f, &sigma, sizeof sigma, 1);
    size_t n = 3 * (size_t)(size * size);
    float *x = room(n, sizeof *x), *wanted = room(n, sizeof *wanted);
    read_all(f, x, sizeof *x, n);
    read_all(f, wanted, sizeof *wanted, n);
    assert_int_equal(blur_gaussian(sigma, size, x), STATUS_OK);
    compare(x, wanted, n, 2e-6);
    free(x);
    free(wanted);
}

/* A smooth view of the whole image is the image resized; also when it is stated in other units. */
static void check_resize(FILE *f) {
    static const double mean[3] = {.485, .456, .406}, deviation[3] = {.229, .224, .225};
    int32_t head[3];
    image m;
    read_all(f, head, sizeof *head, 3);
    int size = head[2];
    size_t n = 3 * (size_t)(size * size);
    float *out = room(n, sizeof *out), *wanted = room(n, sizeof *wanted);
    assert_int_equal(image_create(&m, head[0], head[1]), STATUS_OK);
    read_all(f, m.data, 3, (size_t)(head[0] * head[1]));
    read_all(f, wanted, sizeof *wanted, n);
    for (int units = 1; units <= 2; units++)
        for (int flip = 0; flip < 2; flip++) {
            int h = units * head[0], w = units * head[1];
            view v = {.size = size, .height = h, .width = w, .flip = flip, .smooth = true};
            v.colour = colours_none(COLOUR_MEAN);
            assert_int_equal(view_image(&v, h, w, &m, out), STATUS_OK);
            for (size_t i = 0; i < n; i++) {
                int row = (int)i / (3 * size), column = (int)i / 3 % size, k = (int)i % 3;
                float *want = &wanted[3 * (row * size + (flip ? size - 1 - column : column)) + k];
                assert_true(fabs(out[i] * deviation[k] + mean[k] - *want) < 2e-6);
            }
        }
    image_destroy(&m);
    free(out);
    free(wanted);
}

static void formulas_are_torchvisions(void **state) {
    (void)state;
    static void (*const check[KINDS])(FILE * f) = {check_colours, check_blur, check_resize};
    int count[KINDS] = {0};
    int32_t kind;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/views.bin", "rb");
    assert_non_null(f);
    while (fread(&kind, sizeof kind, 1, f) == 1) {
        assert_in_range(kind, 0, KINDS - 1);
        check[kind](f);
        count[kind]++;
    }
    fclose(f);
    assert_int_equal(count[COLOURS], 40);
    assert_int_equal(count[BLUR], 5);
    assert_int_equal(count[RESIZE], 4);
}

/* Blur works on what is normalised, whose kernel adds up to 1: the same as before it. */
static void a_view_is_blurred(void **state) {
    (void)state;
    enum { SIZE = 32, N = 3 * SIZE * SIZE };
    static float plain[N], blurred[N];
    image m;
    assert_int_equal(image_create(&m, 40, 50), STATUS_OK);
    for (int i = 0; i < 3 * 40 * 50; i++) m.data[i] = (uint8_t)((unsigned)i * 2654435761u >> 24);
    view v = {.size = SIZE, .top = 2, .left = 3, .height = 33, .width = 37};
    v.colour = colours_none(COLOUR_LUMINANCE);
    assert_int_equal(view_image(&v, 40, 50, &m, plain), STATUS_OK);
    v.blur = 1.5;
    assert_int_equal(view_image(&v, 40, 50, &m, blurred), STATUS_OK);
    assert_int_equal(blur_gaussian(1.5, SIZE, plain), STATUS_OK);
    compare(blurred, plain, N, 0);
    image_destroy(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_torchvisions),
        cmocka_unit_test(a_view_is_blurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
