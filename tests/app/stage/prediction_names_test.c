/* Names of predictions: after the image's file, after its path where files share a name, and never
 * one name for two images. */
#include "src/app/stage/prediction_names.h"

#include "src/base/memory.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

enum { MOST = 4 };

static void names(void **state) {
    (void)state;
    static const struct {
        int count;
        const char *image[MOST], *file[MOST];
    } cases[] = {
        {3, {"val/b.png", "val/a.JPG", "c"}, {"b.png", "a.png", "c.png"}},
        {1, {"a.jpeg"}, {"a.png"}},
        {1, {".png"}, {".png.png"}}, /* an ending alone is a name */
        {2, {"a.tar.png", "a.png.jpg"}, {"a.tar.png", "a.png.png"}},
        {2, {"x/a.png", "y/a.png"}, {"x_a.png", "y_a.png"}},
        {3, {"x/a.png", "y/a.png", "y/b.png"}, {"x_a.png", "y_a.png", "y_b.png"}},
        {2, {"../x/a.png", "/a.png"}, {".._x_a.png", "_a.png"}},
        {2, {"frankfurt/frankfurt_0_leftImg8bit.png", "ulm/ulm_0_leftImg8bit.png"},
            {"frankfurt_0_leftImg8bit.png", "ulm_0_leftImg8bit.png"}},
        {0, {NULL}, {NULL}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char **file = NULL;
        assert_int_equal(prediction_names(cases[k].image, cases[k].count, &file), STATUS_OK);
        for (int i = 0; i < cases[k].count; i++) assert_string_equal(file[i], cases[k].file[i]);
        memory_free(file);
    }
}

static void two_of_one_name_are_refused(void **state) {
    (void)state;
    static const char *const image[][2] = {
        {"a.png", "a.jpg"}, {"x/a.png", "x/a.JPG"}, {"x_y/a.png", "x/y_a.png"}};
    for (int k = 0; k < 3; k++) {
        capture out;
        char **file = NULL;
        const char *all[] = {image[k][0], "z/y.png", image[k][1], "y.png"};
        capture_begin(&out, STDERR_FILENO);
        status st = prediction_names(all, 4, &file);
        capture_end(&out);
        assert_int_equal(st, STATUS_DATA);
        assert_null(file);
        assert_non_null(strstr(out.text, image[k][0]));
        assert_non_null(strstr(out.text, image[k][1]));
        assert_int_equal(capture_lines(&out), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(two_of_one_name_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
