#include "src/image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The next case of resize.bin; false at its end. */
static int next_case(FILE *f, image *from, image *wanted) {
    int32_t size[4];
    if (fread(size, sizeof size, 1, f) != 1) return 0;
    assert_int_equal(image_create(from, size[0], size[1]), STATUS_OK);
    assert_int_equal(image_create(wanted, size[2], size[3]), STATUS_OK);
    assert_int_equal(fread(from->data, (size_t)(size[0] * size[1]), 3, f), 3);
    assert_int_equal(fread(wanted->data, (size_t)(size[2] * size[3]), 3, f), 3);
    return 1;
}

static void resize_is_pillows(void **state) {
    (void)state;
    image from, wanted, got;
    int cases = 0;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/resize.bin", "rb");
    assert_non_null(f);
    for (; next_case(f, &from, &wanted); cases++) {
        assert_int_equal(image_resize(&from, wanted.height, wanted.width, &got), STATUS_OK);
        assert_int_equal(got.height, wanted.height);
        assert_int_equal(got.width, wanted.width);
        for (int i = 0; i < 3 * got.height * got.width; i++)
            assert_in_range(got.data[i] - wanted.data[i] + 1, 0, 2);
        image_destroy(&from);
        image_destroy(&wanted);
        image_destroy(&got);
    }
    fclose(f);
    assert_int_equal(cases, 7);
}

static void labels_are_of_the_pixel_that_covers_the_centre(void **state) {
    (void)state;
    labelmap m, got;
    assert_int_equal(labelmap_create(&m, 4, 6), STATUS_OK);
    for (int i = 0; i < 24; i++) m.data[i] = (uint16_t)i;
    m.data[23] = LABEL_IGNORE;
    static const struct {
        int height, width;
        uint16_t label[8];
    } table[] = {{2, 3, {7, 9, 11, 19, 21, LABEL_IGNORE}}, {1, 1, {15}}, {2, 2, {7, 10, 19, 22}},
        {1, 4, {12, 14, 15, 17}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(labelmap_resize(&m, table[i].height, table[i].width, &got), STATUS_OK);
        assert_memory_equal(
            got.data, table[i].label, (size_t)(2 * table[i].height * table[i].width));
        labelmap_destroy(&got);
    }
    assert_int_equal(labelmap_resize(&m, 8, 12, &got), STATUS_OK);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 12; x++)
            assert_int_equal(got.data[12 * y + x], m.data[6 * (y / 2) + x / 2]);
    labelmap_destroy(&got);
    labelmap_destroy(&m);
}

static void normalized_as_imagenet(void **state) {
    (void)state;
    image m;
    float out[6];
    assert_int_equal(image_create(&m, 1, 2), STATUS_OK);
    memcpy(m.data, (uint8_t[6]){0, 128, 255, 124, 116, 104}, 6);
    image_normalize(&m, NULL, out);
    static const double mean[3] = {.485, .456, .406}, deviation[3] = {.229, .224, .225};
    for (int i = 0; i < 6; i++)
        assert_true(
            abs((int)(1e6 * (out[i] - (m.data[i] / 255. - mean[i % 3]) / deviation[i % 3]))) <= 1);
    image_destroy(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_is_pillows),
        cmocka_unit_test(labels_are_of_the_pixel_that_covers_the_centre),
        cmocka_unit_test(normalized_as_imagenet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
