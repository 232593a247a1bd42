#include "src/base/random.h"
#include "src/image/image.h"
#include "src/segment/cross_entropy.h"
#include "src/segment/pseudo_label.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 4096, NETWORKS = 2, PLACES = 2 };

/* A case of tests/fixtures/make_methods.py. */
typedef struct step {
    int32_t networks, crossed, places, h, w, k, side;
    double weight, confidence;
    mix_box box[PLACES];
    float plain[MOST], learning[MOST];
    uint16_t label[MOST];
    double loss, gradient[MOST];
} step;

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

static bool read_step(FILE *f, step *s) {
    int32_t n[7];
    if (fread(n, sizeof n, 1, f) != 1) return false;
    *s = (step){n[0], n[1], n[2], n[3], n[4], n[5], n[6], .loss = 0};
    size_t map = (size_t)(s->h * s->w * s->k), maps = (size_t)(s->networks * s->places * 2);
    assert_true(map * maps <= MOST && s->places <= PLACES && s->networks <= NETWORKS);
    read_all(f, &s->weight, sizeof s->weight);
    read_all(f, &s->confidence, sizeof s->confidence);
    read_all(f, s->box, (size_t)s->places * sizeof *s->box);
    read_all(f, s->plain, maps * map * sizeof *s->plain);
    read_all(f, s->learning, maps * map * sizeof *s->learning);
    read_all(f, s->label, (size_t)(s->places * s->side * s->side) * sizeof *s->label);
    read_all(f, &s->loss, sizeof s->loss);
    read_all(f, s->gradient, maps * map * sizeof *s->gradient);
    return true;
}

/* Network n's labels of place i. */
static void label_place(const step *s, int n, int i, uint16_t *labels) {
    size_t map = (size_t)(s->h * s->w * s->k);
    const float *view = s->plain + (size_t)(n * s->places + i) * 2 * map;
    assert_int_equal(pseudo_labels(&(logit_map){view, s->h, s->w, s->k},
                         &(logit_map){view + map, s->h, s->w, s->k}, &s->box[i], s->side, s->side,
                         s->confidence, labels),
        STATUS_OK);
}

/* As src/app/training/finetune_step.h defines a step's loss. *error: of the gradient, relative. */
static double step_loss(const step *s, double *error) {
    static float gradient[MOST];
    static uint16_t given[MOST];
    size_t map = (size_t)(s->h * s->w * s->k), view = (size_t)(s->side * s->side), at = 0;
    double pixels = (double)cross_entropy_pixels(s->label, (size_t)s->places * view);
    double scale[2] = {1 / pixels, s->weight / (double)((size_t)s->places * view)};
    double total = 0, difference = 0, norm = 0;
    for (int n = 0; n < s->networks; n++)
        for (int without = 0; without < 2; without++)
            for (int i = 0; i < s->places; i++, at += map) {
                double loss;
                if (without) label_place(s, (n + s->crossed) % s->networks, i, given);
                assert_int_equal(cross_entropy(&(logit_map){s->learning + at, s->h, s->w, s->k},
                                     without ? given : s->label + (size_t)i * view, s->side,
                                     s->side, scale[without], &loss, gradient),
                    STATUS_OK);
                total += scale[without] * loss;
                for (size_t j = 0; j < map; j++) {
                    double e = (double)gradient[j] - s->gradient[at + j];
                    difference += e * e;
                    norm += s->gradient[at + j] * s->gradient[at + j];
                }
            }
    *error = sqrt(difference / norm);
    return total;
}

static void agrees_with_pytorch(void **state) {
    (void)state;
    static step s;
    const char *other = getenv("AUXSEG_METHODS"); /* tests/pytorch/compare_methods.py */
    FILE *f = fopen(other ? other : AUXSEG_TESTS "/fixtures/methods.bin", "rb");
    assert_non_null(f);
    int cases = 0;
    for (; read_step(f, &s); cases++) {
        double error, loss = step_loss(&s, &error);
        if (!(fabs(loss - s.loss) <= 1e-5 * s.loss && error <= 1e-5))
            fail_msg(
                "case %d: loss %.9g for %.9g, gradient off by %.2g", cases, loss, s.loss, error);
    }
    fclose(f);
    assert_int_equal(cases, 4);
}

static const mix_box nothing = {0};

static void the_lowest_of_equal_classes(void **state) {
    (void)state;
    const float logits[] = {1, 3, 3, /**/ 2, 2, 2};
    uint16_t labels[2];
    assert_int_equal(
        pseudo_labels(&(logit_map){logits, 1, 2, 3}, NULL, &nothing, 1, 2, 0, labels), STATUS_OK);
    assert_int_equal(labels[0], 1);
    assert_int_equal(labels[1], 0);
}

static void unsure_pixels_have_none(void **state) {
    (void)state;
    /* A softmax of 3/4 and one of 1/2. */
    const float logits[] = {logf(3), 0, /**/ 0, 0};
    uint16_t labels[2];
    const logit_map map = {logits, 1, 2, 2};
    assert_int_equal(pseudo_labels(&map, NULL, &nothing, 1, 2, 0.74, labels), STATUS_OK);
    assert_int_equal(labels[0], 0);
    assert_int_equal(labels[1], LABEL_IGNORE);
    assert_int_equal(pseudo_labels(&map, NULL, &nothing, 1, 2, 0.76, labels), STATUS_OK);
    assert_int_equal(labels[0], LABEL_IGNORE);
}

static void what_is_not_finite_has_none(void **state) {
    (void)state;
    const float logits[] = {NAN, 0, /**/ 0, NAN, /**/ INFINITY, 0};
    uint16_t labels[3];
    assert_int_equal(
        pseudo_labels(&(logit_map){logits, 1, 3, 2}, NULL, &nothing, 1, 3, 0, labels), STATUS_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(labels[i], LABEL_IGNORE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(the_lowest_of_equal_classes),
        cmocka_unit_test(unsure_pixels_have_none),
        cmocka_unit_test(what_is_not_finite_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
