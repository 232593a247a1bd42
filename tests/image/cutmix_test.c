#include "src/image/cutmix.h"

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Whole pixels: each side is off by half of one at most. */
static void boxes_have_their_share(void **state) {
    (void)state;
    enum { SIDE = 160, BOXES = 2000 };
    const double share[] = {0.5, 0.25, 0.9};
    for (int k = 0; k < 3; k++) {
        double tall = 0, top = 0;
        for (int i = 0; i < BOXES; i++) {
            random_stream r = random_begin(1, RANDOM_CUTMIX, (uint64_t)k, (uint64_t)i);
            mix_box b = mix_box_draw(&r, share[k], SIDE);
            int height = b.bottom - b.top, width = b.right - b.left;
            assert_true(b.top >= 0 && b.left >= 0 && b.bottom <= SIDE && b.right <= SIDE);
            assert_true(height >= 1 && width >= 1);
            double off = fabs(height * width - share[k] * SIDE * SIDE);
            assert_true(off <= 0.5 * (height + width) + 1);
            tall += 0.5 * (height > width) + 0.5 * (height >= width);
            top += 0.5 * (b.top > SIDE - b.bottom) + 0.5 * (b.top >= SIDE - b.bottom);
        }
        /* No shape and no corner is favoured: five standard deviations. */
        assert_true(fabs(tall / BOXES - 0.5) < 0.06);
        assert_true(fabs(top / BOXES - 0.5) < 0.06);
    }
}

static void the_box_alone_is_taken_over(void **state) {
    (void)state;
    enum { SIDE = 5 };
    float to[SIDE * SIDE * 3], from[SIDE * SIDE * 3];
    const mix_box box = {1, 2, 4, 5};
    for (int i = 0; i < SIDE * SIDE * 3; i++) {
        to[i] = (float)i;
        from[i] = (float)-i;
    }
    mix_views(&box, SIDE, from, to);
    for (int i = 0; i < SIDE * SIDE * 3; i++) {
        int y = i / (3 * SIDE), x = i / 3 % SIDE;
        bool inside = y >= 1 && y < 4 && x >= 2;
        assert_true(to[i] == (inside ? from[i] : (float)i));
    }
    mix_views(&(mix_box){0}, SIDE, to, from);
    assert_true(from[0] == 0 && from[3] == -3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_have_their_share),
        cmocka_unit_test(the_box_alone_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
