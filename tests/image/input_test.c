/* Conventions of input as text, and what they make of pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/image/augment.h"
#include "src/image/image.h"

#include <math.h>
#include <string.h>

static const image_input caffe = {
    .bgr = true, .range = 255, .mean = {103.53f, 116.28f, 123.675f}, .deviation = {1, 2, 4}};

static void text_reads_back_to_the_same_floats(void **state) {
    (void)state;
    const image_input odd = {.range = 1, .mean = {1.f / 3, 0, -2e-7f}, .deviation = {.1f, 1e9f, 3}};
    const image_input *const cases[] = {&image_input_imagenet, &caffe, &odd};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[IMAGE_INPUT_TEXT];
        image_input back;
        image_input_text(cases[i], text);
        assert_true(image_input_parse(text, &back));
        assert_true(image_input_same(cases[i], &back));
    }
    char text[IMAGE_INPUT_TEXT];
    image_input_text(&image_input_imagenet, text);
    assert_string_equal(text, "rgb 0..1 mean 0.485 0.456 0.406 std 0.229 0.224 0.225");
}

static void what_is_no_convention_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "rgb", "grb 0..1 mean 0 0 0 std 1 1 1",
        "rgb 0..2 mean 0 0 0 std 1 1 1", "rgb 0..1 mean 0 0 std 1 1 1",
        "rgb 0..1 mean 0 0 0 std 1 0 1", "rgb 0..1 mean 0 0 nan std 1 1 1",
        "rgb 0..1 mean 0 0 0 std 1 1 1 1", "rgb 0..1 mean 0 0 0 std 1 1 -1"};
    image_input out = caffe;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (image_input_parse(bad[i], &out)) fail_msg("\"%s\" was taken", bad[i]);
        assert_true(image_input_same(&out, &caffe));
    }
    float x[3] = {7, 7, 7};
    assert_false(image_input_numbers("1,2", false, x));
    assert_false(image_input_numbers("1,2,3,4", false, x));
    assert_false(image_input_numbers("1,2,0", true, x));
    assert_true(x[0] == 7 && x[2] == 7);
    assert_true(image_input_numbers("1, 2,3", true, x));
    assert_true(x[0] == 1 && x[1] == 2 && x[2] == 3);
}

/* Blue first, in whole numbers: in the images that networks with fixed weights see, and in views.
 */
static void pixels_are_given_as_asked(void **state) {
    (void)state;
    enum { SIDE = 8 };
    image m;
    float out[3 * SIDE * SIDE], seen[3 * SIDE * SIDE];
    random_stream r = random_begin(1, RANDOM_AUGMENT, 0, 0);
    const augment_options o = {.crop = SIDE, .scale_min = 1, .scale_max = 1, .input = &caffe};
    assert_int_equal(image_create(&m, SIDE, SIDE), STATUS_OK);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) m.data[i] = (uint8_t)(i * 7);
    image_normalize(&m, &caffe, out);
    view v = view_draw(&r, &o, SIDE, SIDE);
    assert_int_equal(view_image(&v, SIDE, SIDE, &m, seen), STATUS_OK);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        int c = i % 3;
        double want = (m.data[i - c + 2 - c] - (double)caffe.mean[c]) / (double)caffe.deviation[c];
        assert_true(fabs((double)out[i] - want) < 1e-4);
        assert_true(fabs((double)seen[i] - want) < 1e-4);
    }
    image_destroy(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_back_to_the_same_floats),
        cmocka_unit_test(what_is_no_convention_is_refused),
        cmocka_unit_test(pixels_are_given_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
