#include "src/base/bf16.h"
#include "src/contrast/loss.h"
#include "src/contrast/tiles.h"
#include "tests/contrast/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N = 700, D = 48, MOST = 300 * 300 };

static float z[N * D], gradient[MOST], other[MOST];
static double expected[MOST];
static int32_t label[N], image[N], partner[N];
static contrast_row row[N], row_other[N];

static void compute(const contrast_options *o, const contrast_pool *p, contrast_stats *total) {
    assert_int_equal(contrast_rows(o, p, 0, p->n, row), STATUS_OK);
    *total = contrast_total(p, row);
    assert_int_equal(contrast_gradient(o, p, row, 0, p->n, gradient), STATUS_OK);
}

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

static void agrees_with_pytorch(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/loss.bin", "rb");
    assert_non_null(f);
    int cases = 0;
    for (int32_t size[2]; fread(size, sizeof size, 1, f) == 1; cases++) {
        double number[2]; /* tau, loss */
        size_t n = (size_t)size[0], d = (size_t)size[1];
        read_all(f, number, sizeof number);
        read_all(f, z, n * d * sizeof *z);
        read_all(f, label, n * sizeof *label);
        read_all(f, expected, n * d * sizeof *expected);
        contrast_pool p = {.n = n, .d = size[1], .z = z, .label = label, .image = image};
        contrast_options o = {.temperature = number[0], .threads = 2};
        contrast_stats total;
        compute(&o, &p, &total);
        double loss_error = fabs(total.loss - number[1]) / (number[1] > 0 ? number[1] : 1);
        double error = reference_error(gradient, expected, n * d);
        if (!(loss_error <= 1e-5 && error <= 1e-5))
            fail_msg("case %d, tau %g: loss %.9g for %.9g (%.2g), gradient off by %.2g", cases,
                number[0], total.loss, number[1], loss_error, error);
    }
    fclose(f);
    assert_int_equal(cases, 5);
}

static const contrast_positives all_positives[] = {
    POSITIVES_AUXILIARY, POSITIVES_AUGMENTATION, POSITIVES_BOTH};

/* Three labels to a group, in no order; some groups are of one. */
static int32_t group[90];

static void make_groups(void) {
    for (int l = 0; l < 90; l++) group[l] = l < 2 ? 40 + l : l / 3 * 7 % 30;
}

/* Every choice of positives and scope, two temperatures, labels in groups or not, sizes around
 * those of tiles. */
static void agrees_with_definition(void **state) {
    (void)state;
    static const struct {
        size_t n;
        int d, labels, images;
    } size[] = {{1, 3, 2, 1}, {47, 32, 5, 3}, {256, 33, 3, 2}, {120, 300, 12, 7}, {600, 16, 90, 4}};
    make_groups();
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        for (int choice = 0; choice < 24; choice++) {
            contrast_options o = {.positives = all_positives[choice % 3],
                .scope = choice / 3 % 2 ? SCOPE_IMAGE : SCOPE_GLOBAL,
                .temperature = choice / 6 % 2 ? 0.01 : 0.2,
                .threads = 1,
                .group = choice / 12 ? group : NULL};
            float *rows = size[i].d == 300 ? other : z; /* the only one too large for z */
            reference_pool(i, size[i].n, size[i].d, size[i].labels, size[i].images, rows, label,
                image, partner);
            contrast_pool p = {size[i].n, size[i].d, rows, label, image, partner};
            contrast_stats total, right = reference_loss(&o, &p, expected);
            compute(&o, &p, &total);
            double error = reference_error(gradient, expected, p.n * (size_t)p.d);
            bool counts = total.anchors == right.anchors && total.positives == right.positives &&
                          total.negatives == right.negatives;
            if (!counts || !(fabs(total.loss - right.loss) <= 1e-5 * right.loss) ||
                !(error <= 1e-5))
                fail_msg("n %zu, choice %d: loss %.9g for %.9g, gradient off by %.2g", p.n, choice,
                    total.loss, right.loss, error);
        }
    }
}

/* bf16: loss and gradient of the rounded rows, whether pairs are multiplied or floats. */
static void bf16_is_of_rounded_rows(void **state) {
    (void)state;
    enum { ROWS = 300, ODD = 45 };
    reference_pool(6, ROWS, ODD, 9, 3, z, label, image, partner);
    contrast_pool p = {ROWS, ODD, z, label, image, partner}, rounded = p;
    for (int i = 0; i < ROWS * ODD; i++) other[i] = bf16_to_float(bf16_from_float(z[i]));
    rounded.z = other;
    for (int choice = 0; choice < (product_has_pairs() ? 12 : 6); choice++) {
        contrast_options o = {.positives = all_positives[choice % 3],
            .temperature = choice / 3 % 2 ? 0.01 : 0.1,
            .threads = 1,
            .type = DTYPE_BF16,
            .pairs = choice / 6};
        contrast_stats total, right = reference_loss(&o, &rounded, expected);
        compute(&o, &p, &total);
        double error = reference_error(gradient, expected, ROWS * ODD);
        if (!(fabs(total.loss - right.loss) <= 1e-5 * right.loss) || !(error <= 1e-5))
            fail_msg("choice %d: loss %.9g for %.9g, gradient off by %.2g", choice, total.loss,
                right.loss, error);
    }
}

static void pairs_agree_with_floats(void **state) {
    (void)state;
    enum { ROWS = 300, ODD = 45, WIDE = 600, FEW = 120 };
    static float dot[2][TILE_ROWS * TILE_STRIDE];
    if (!product_has_pairs()) skip();
    for (int wide = 0; wide < 2; wide++) {
        size_t n = wide ? FEW : ROWS;
        int d = wide ? WIDE : ODD;
        reference_pool(6, n, d, 9, 3, other, label, image, partner);
        contrast_pool p = {n, d, other, label, image, partner};
        contrast_options o = {.temperature = 0.1, .threads = 1, .type = DTYPE_BF16};
        for (int pairs = 0; pairs < 2; pairs++) {
            tiles t;
            assert_int_equal(tiles_create(&t, &o, &p, pairs), STATUS_OK);
            product_word *words = calloc(anchors_floats(&t), sizeof *words);
            anchors a = {.a = words};
            int32_t position[] = {0, 7, t.n - 1};
            anchors_gather(&a, &t, position, 3);
            tiles_dots(&t, &a, (columns){0, PANEL}, dot[pairs]);
            free(words);
            tiles_destroy(&t);
        }
        for (int i = 0; i < 3 * TILE_STRIDE; i++)
            if (i % TILE_STRIDE < PANEL)
                assert_true(fabsf(dot[0][i] - dot[1][i]) <= 2e-6f && dot[0][i] != 0);
    }
}

/* A partner need not be mutual. */
static void partners_may_be_one_sided(void **state) {
    (void)state;
    reference_pool(9, 90, 12, 4, 2, z, label, image, partner);
    for (int i = 0; i < 90; i++) partner[i] = i % 3 ? i / 3 : -1;
    contrast_pool p = {90, 12, z, label, image, partner};
    for (int groups = 0; groups < 2; groups++) {
        static const int32_t two[] = {0, 1, 0, 1};
        contrast_options o = {.positives = POSITIVES_BOTH,
            .temperature = 0.1,
            .threads = 1,
            .group = groups ? two : NULL};
        contrast_stats total, right = reference_loss(&o, &p, expected);
        compute(&o, &p, &total);
        assert_true(fabs(total.loss - right.loss) <= 1e-5 * right.loss);
        assert_int_equal(total.positives, right.positives);
        assert_int_equal(total.negatives, right.negatives);
        assert_true(reference_error(gradient, expected, 90 * 12) <= 1e-5);
    }
}

static void same_bits_for_threads_and_splits(void **state) {
    (void)state;
    reference_pool(3, N, D, 11, 5, z, label, image, partner);
    contrast_pool p = {N, D, z, label, image, partner};
    make_groups();
    for (int choice = 0; choice < 12; choice++) {
        contrast_options o = {.positives = all_positives[choice % 3],
            .scope = choice / 3 % 2 ? SCOPE_IMAGE : SCOPE_GLOBAL,
            .temperature = 0.05,
            .threads = 1,
            .type = choice % 2 ? DTYPE_BF16 : DTYPE_F32,
            .group = choice / 6 ? group : NULL};
        contrast_stats total;
        compute(&o, &p, &total);
        o.threads = 3;
        static const size_t cut[] = {0, 1, 1, 130, 507, N};
        for (int i = 0; i < 5; i++)
            assert_int_equal(
                contrast_rows(&o, &p, cut[i], cut[i + 1] - cut[i], row_other + cut[i]), STATUS_OK);
        for (int i = 0; i < 5; i++)
            assert_int_equal(contrast_gradient(&o, &p, row_other, cut[i], cut[i + 1] - cut[i],
                                 other + cut[i] * D),
                STATUS_OK);
        assert_memory_equal(row, row_other, sizeof row);
        assert_memory_equal(gradient, other, N * D * sizeof *other);
    }
}

static void extremes(void **state) {
    (void)state;
    contrast_options o = {.temperature = 0.01, .threads = 1};
    /* Two clusters at opposite poles, then with the labels crossed: logits +-100. */
    for (int crossed = 0; crossed < 2; crossed++) {
        for (int i = 0; i < 64; i++) {
            memset(z + i * 2, 0, 2 * sizeof *z);
            z[i * 2] = i % 2 ? 1.0f : -1.0f;
            label[i] = crossed ? i / 2 % 2 : i % 2;
        }
        contrast_pool p = {64, 2, z, label, image, NULL};
        contrast_stats total, right = reference_loss(&o, &p, expected);
        compute(&o, &p, &total);
        assert_true(fabs(total.loss - right.loss) <= 1e-5 * right.loss + 1e-30);
        for (int i = 0; i < 128; i++) assert_true(isfinite(gradient[i]));
        if (crossed) assert_true(reference_error(gradient, expected, 128) <= 1e-5);
    }
    contrast_pool none = {0, 2, z, label, image, NULL};
    contrast_stats total;
    compute(&o, &none, &total);
    assert_int_equal(total.anchors, 0);
    z[5] = NAN;
    contrast_pool bad = {64, 2, z, label, image, NULL};
    assert_int_equal(contrast_rows(&o, &bad, 0, 64, row), STATUS_NONFINITE);
}

/* A partner's logit 1,000 above every negative's: of these nothing is left, even as a double. */
static void positives_far_above_all_negatives(void **state) {
    (void)state;
    contrast_options o = {.positives = POSITIVES_AUGMENTATION, .temperature = 0.001, .threads = 1};
    for (int i = 0; i < 4; i++) {
        z[i * 2] = (float)(i / 2);
        z[i * 2 + 1] = (float)(1 - i / 2);
        label[i] = image[i] = 0;
        partner[i] = i ^ 1;
    }
    contrast_pool p = {4, 2, z, label, image, partner};
    contrast_stats total;
    compute(&o, &p, &total);
    assert_int_equal(total.anchors, 4);
    assert_true(total.loss >= 0 && total.loss < 1e-30);
    for (int i = 0; i < 8; i++) assert_true(isfinite(gradient[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(agrees_with_definition),
        cmocka_unit_test(bf16_is_of_rounded_rows),
        cmocka_unit_test(pairs_agree_with_floats),
        cmocka_unit_test(partners_may_be_one_sided),
        cmocka_unit_test(same_bits_for_threads_and_splits),
        cmocka_unit_test(extremes),
        cmocka_unit_test(positives_far_above_all_negatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
