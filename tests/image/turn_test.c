/* The eight orientations, of a picture in which each pixel is another one. */
#include "src/image/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Stored rows "123" and "456", as they stand upright. */
static const struct {
    int height, width;
    const char *pixels;
} upright[ORIENTATIONS + 1] = {{0}, {2, 3, "123456"}, {2, 3, "321654"}, {2, 3, "654321"},
    {2, 3, "456123"}, {3, 2, "142536"}, {3, 2, "415263"}, {3, 2, "635241"}, {3, 2, "362514"}};

static void pictures_and_labels_are_turned_alike(void **state) {
    (void)state;
    for (int o = 1; o <= ORIENTATIONS; o++) {
        image m;
        labelmap l;
        assert_int_equal(image_create(&m, 2, 3), STATUS_OK);
        assert_int_equal(labelmap_create(&l, 2, 3), STATUS_OK);
        for (int i = 0; i < 6; i++) {
            l.data[i] = (uint16_t)('1' + i);
            memset(m.data + 3 * i, '1' + i, 3);
        }
        assert_int_equal(image_turn(&m, o), STATUS_OK);
        assert_int_equal(labelmap_turn(&l, o), STATUS_OK);
        assert_true(m.height == upright[o].height && m.width == upright[o].width);
        assert_true(l.height == upright[o].height && l.width == upright[o].width);
        assert_int_equal(orientation_swaps(o), upright[o].height == 3);
        for (int i = 0; i < 18; i++) assert_int_equal(m.data[i], upright[o].pixels[i / 3]);
        for (int i = 0; i < 6; i++) assert_int_equal(l.data[i], upright[o].pixels[i]);
        image_destroy(&m);
        labelmap_destroy(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_and_labels_are_turned_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
