#include "src/image/synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { HEIGHT = 60, WIDTH = 80, SCENES = 24 };

static void scene(uint64_t seed, uint64_t index, image *rgb, labelmap *label) {
    assert_int_equal(synth_draw(seed, index, HEIGHT, WIDTH, rgb, label), STATUS_OK);
    assert_true(rgb->height == HEIGHT && rgb->width == WIDTH);
    assert_true(label->height == HEIGHT && label->width == WIDTH);
}

static void a_scene_depends_on_seed_and_index(void **state) {
    (void)state;
    image a, b;
    labelmap x, y;
    static const struct {
        uint64_t seed, index;
        int same;
    } table[] = {{1, 5, 1}, {2, 5, 0}, {1, 6, 0}, {1, (uint64_t)1 << 32 | 5, 0}};
    scene(1, 5, &a, &x);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        scene(table[i].seed, table[i].index, &b, &y);
        assert_int_equal(memcmp(a.data, b.data, 3 * HEIGHT * WIDTH) == 0, table[i].same);
        assert_int_equal(memcmp(x.data, y.data, 2 * HEIGHT * WIDTH) == 0, table[i].same);
        image_destroy(&b);
        labelmap_destroy(&y);
    }
    image_destroy(&a);
    labelmap_destroy(&x);
}

/* Every pixel has a class, and every class is in many scenes, none in nearly all of the area. */
static void every_class_appears(void **state) {
    (void)state;
    int pixels[SYNTH_CLASSES] = {0}, scenes[SYNTH_CLASSES] = {0};
    for (uint64_t i = 0; i < SCENES; i++) {
        image rgb;
        labelmap label;
        int here[SYNTH_CLASSES] = {0};
        scene(1, i, &rgb, &label);
        for (int k = 0; k < HEIGHT * WIDTH; k++) {
            assert_true(label.data[k] < SYNTH_CLASSES);
            here[label.data[k]]++;
        }
        for (int y = 0; y < SYNTH_CLASSES; y++) {
            pixels[y] += here[y];
            scenes[y] += here[y] > 0;
        }
        image_destroy(&rgb);
        labelmap_destroy(&label);
    }
    for (int y = 0; y < SYNTH_CLASSES; y++) {
        assert_true(scenes[y] > SCENES / 2);
        assert_true(pixels[y] > SCENES * HEIGHT * WIDTH / 500);
        assert_true(pixels[y] < SCENES * HEIGHT * WIDTH / 2);
        assert_true(strlen(synth_class_name(y)) > 0);
    }
}

/* Objects that reach over the edge, at sizes down to the smallest that the settings allow. */
static void any_size_can_be_drawn(void **state) {
    (void)state;
    static const int size[][2] = {{16, 16}, {16, 200}, {200, 16}, {31, 47}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (uint64_t index = 0; index < 8; index++) {
            image rgb;
            labelmap label;
            assert_int_equal(synth_draw(9, index, size[i][0], size[i][1], &rgb, &label), STATUS_OK);
            image_destroy(&rgb);
            labelmap_destroy(&label);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scene_depends_on_seed_and_index),
        cmocka_unit_test(every_class_appears),
        cmocka_unit_test(any_size_can_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
