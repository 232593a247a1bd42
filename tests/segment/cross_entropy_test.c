#include "src/segment/cross_entropy.h"
#include "src/base/random.h"
#include "src/image/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 4096 };

static float logits[MOST], gradient[MOST];
static const logit_map map = {logits, 3, 4, 5};
static double expected[MOST];
static uint16_t labels[MOST];

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

static void agrees_with_pytorch(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/cross_entropy.bin", "rb");
    assert_non_null(f);
    int cases = 0;
    for (int32_t n[5]; fread(n, sizeof n, 1, f) == 1; cases++) {
        size_t small = (size_t)(n[0] * n[1] * n[2]), pixels = (size_t)(n[3] * n[4]);
        double right, loss, difference = 0, norm = 0, scale = 0.125;
        read_all(f, &right, sizeof right);
        read_all(f, logits, small * sizeof *logits);
        read_all(f, labels, pixels * sizeof *labels);
        read_all(f, expected, small * sizeof *expected);
        assert_int_equal(cross_entropy(&(logit_map){logits, n[0], n[1], n[2]}, labels, n[3], n[4],
                             scale, &loss, gradient),
            STATUS_OK);
        for (size_t i = 0; i < small; i++) {
            double e = (double)gradient[i] - scale * expected[i];
            difference += e * e;
            norm += scale * expected[i] * scale * expected[i];
        }
        double error = sqrt(difference / norm);
        if (!(fabs(loss - right) <= 1e-5 * right && error <= 1e-5))
            fail_msg(
                "case %d: loss %.9g for %.9g, gradient off by %.2g", cases, loss, right, error);
    }
    fclose(f);
    assert_int_equal(cases, 6);
}

static double loss_of(void) {
    double loss;
    assert_int_equal(cross_entropy(&map, labels, 10, 13, 1, &loss, gradient), STATUS_OK);
    return loss;
}

static void draw(double ignored) {
    random_stream r = random_begin(1, RANDOM_INIT, 0, 0);
    for (int i = 0; i < 3 * 4 * 5; i++) logits[i] = (float)random_normal(&r);
    for (int i = 0; i < 10 * 13; i++) {
        uint16_t label = (uint16_t)random_below(&r, 5);
        labels[i] = random_uniform(&r) < ignored ? LABEL_IGNORE : label;
    }
}

static void agrees_with_differences(void **state) {
    (void)state;
    draw(0.2);
    for (int i = 0; i < 3 * 4 * 5; i++) {
        float at = logits[i], step = 0x1p-6f;
        logits[i] = at + step;
        double up = loss_of();
        logits[i] = at - step;
        double down = loss_of();
        logits[i] = at;
        loss_of();
        double slope = (up - down) / (2 * (double)step);
        assert_true(fabs(slope - (double)gradient[i]) <= 2e-3);
    }
}

static void ignored_images_give_nothing(void **state) {
    (void)state;
    draw(1.1);
    memset(gradient, 0x7F, sizeof gradient);
    assert_true(loss_of() == 0);
    for (int i = 0; i < 3 * 4 * 5; i++) assert_true(gradient[i] == 0);
    assert_int_equal(cross_entropy_pixels(labels, 130), 0);
    labels[7] = 2;
    assert_int_equal(cross_entropy_pixels(labels, 130), 1);
    assert_true(loss_of() > 0);
}

static void sure_pixels_keep_their_digits(void **state) {
    (void)state;
    /* p = 1 / (1 + e^-16): 1 - p is 1.1e-7, about float's epsilon. */
    float two[2] = {16, 0}, g[2];
    uint16_t zero = 0;
    double loss;
    assert_int_equal(
        cross_entropy(&(logit_map){two, 1, 1, 2}, &zero, 1, 1, 1, &loss, g), STATUS_OK);
    assert_true(fabs((double)g[1] - 1.1253515e-7) < 1e-12);
    assert_true(fabs((double)g[0] + 1.1253515e-7) < 1e-8);
}

static void refuses_unknown_labels(void **state) {
    (void)state;
    draw(0);
    labels[11] = 5;
    double loss;
    assert_int_equal(cross_entropy(&map, labels, 10, 13, 1, &loss, gradient), STATUS_DATA);
}

static void nan_stays_visible(void **state) {
    (void)state;
    draw(0);
    logits[9] = NAN;
    assert_true(isnan(loss_of()));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(agrees_with_differences),
        cmocka_unit_test(ignored_images_give_nothing),
        cmocka_unit_test(sure_pixels_keep_their_digits),
        cmocka_unit_test(refuses_unknown_labels),
        cmocka_unit_test(nan_stays_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
