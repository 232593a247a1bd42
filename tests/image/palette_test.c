#include "src/image/palette.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int distance(const uint8_t *a, const uint8_t *b) {
    int sum = 0;
    for (int k = 0; k < 3; k++) sum += abs(a[k] - b[k]);
    return sum;
}

static void colours_are_distinct(void **state) {
    (void)state;
    const uint8_t(*p)[3] = palette_classes();
    for (int i = 0; i < 256; i++)
        for (int j = 0; j < i; j++) {
            if (i < 20) assert_true(distance(p[i], p[j]) >= 40);
            if (i == 255) assert_true(distance(p[i], p[j]) >= 100);
        }
    assert_memory_equal(p[255], "\0\0\0", 3);
}

static void labels_colour_the_image(void **state) {
    (void)state;
    image rgb, out;
    labelmap map;
    assert_int_equal(image_create(&rgb, 2, 4), STATUS_OK);
    assert_int_equal(labelmap_create(&map, 1, 2), STATUS_OK);
    memset(rgb.data, 200, 24);
    map.data[0] = 3;
    map.data[1] = LABEL_IGNORE;
    assert_int_equal(palette_overlay(&rgb, &map, palette_classes(), 0.25, &out), STATUS_OK);
    assert_true(out.height == 2 && out.width == 4);
    const uint8_t *colour = palette_classes()[3];
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(
                out.data[3 * i + k], i % 4 < 2 ? (int)(150 + 0.25 * colour[k] + 0.5) : 80);
    image_destroy(&rgb);
    image_destroy(&out);
    labelmap_destroy(&map);
}

/* More labels than colours: none is taken for an ignored one. */
static void large_labels_have_colours(void **state) {
    (void)state;
    image rgb, out;
    labelmap map;
    assert_int_equal(image_create(&rgb, 1, 1), STATUS_OK);
    assert_int_equal(labelmap_create(&map, 1, 1), STATUS_OK);
    for (int label = 250; label < 1000; label++) {
        map.data[0] = (uint16_t)label;
        assert_int_equal(palette_overlay(&rgb, &map, palette_classes(), 1, &out), STATUS_OK);
        assert_memory_equal(out.data, palette_classes()[label % 255], 3);
        image_destroy(&out);
    }
    image_destroy(&rgb);
    labelmap_destroy(&map);
}

/* Colours of somebody else's choice; what is ignored is dark with any. */
static void colours_may_be_given(void **state) {
    (void)state;
    palette mine = {[7] = {10, 20, 30}};
    image rgb, out;
    labelmap map;
    assert_int_equal(image_create(&rgb, 1, 2), STATUS_OK);
    assert_int_equal(labelmap_create(&map, 1, 2), STATUS_OK);
    memset(rgb.data, 100, 6);
    memset(mine[255], 255, 3);
    map.data[0] = 7;
    map.data[1] = LABEL_IGNORE;
    assert_int_equal(palette_overlay(&rgb, &map, (const uint8_t(*)[3])mine, 1, &out), STATUS_OK);
    assert_memory_equal(out.data, "\x0A\x14\x1E\x28\x28\x28", 6);
    image_destroy(&rgb);
    image_destroy(&out);
    labelmap_destroy(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_distinct),
        cmocka_unit_test(labels_colour_the_image),
        cmocka_unit_test(large_labels_have_colours),
        cmocka_unit_test(colours_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
