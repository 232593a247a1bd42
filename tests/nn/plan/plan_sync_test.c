/* Statistics of norm "sync" from those of images: what long double gives, also where the images'
 * means are far from zero and near each other, and NaN for a channel that is not finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/nn/graph/node.h"
#include "src/nn/plan/plan_sync.h"

#include <math.h>

enum { IMAGES = 300, C = 6, PIXELS = 9 };

static double moment[IMAGES * 2 * C], mean[C], squares[C], total[2 * C];
static int32_t exponent[2 * C];
static int64_t sum[6 * C];
static const node norm = {.channels = C};
static const step_context alone;

static layer make_layer(void) {
    layer l = {.n = &norm};
    l.norm.pixels = PIXELS;
    l.norm.moments = l.norm.sums = moment;
    l.norm.mean = mean;
    l.norm.unbiased = squares;
    l.norm.total = total;
    return l;
}

/* Channel j: images' means near 10^j, apart by 1, or all the same; deviations within them of 0 to
 * 2. */
static void draw(void) {
    random_stream r = random_begin(8, RANDOM_INIT, 0, 0);
    for (int i = 0; i < IMAGES; i++)
        for (int j = 0; j < C; j++) {
            double *row = moment + i * 2 * C;
            row[j] = pow(10, j) + (j == 3 ? 0 : random_normal(&r));
            row[C + j] = PIXELS * (j == 4 ? 0 : pow(random_normal(&r), 2));
        }
}

static void like_long_double(void **state) {
    (void)state;
    plan p = {.sync_exponent = exponent, .sync_sum = sum};
    layer l = make_layer();
    draw();
    for (int images = 1; images <= IMAGES; images = 3 * images + 1) {
        assert_int_equal(sync_moments(&p, &l, images, &alone), images);
        for (int j = 0; j < C; j++) {
            long double m = 0, m2 = 0;
            for (int i = 0; i < images; i++) m += moment[i * 2 * C + j] / (long double)images;
            for (int i = 0; i < images; i++) {
                long double off = moment[i * 2 * C + j] - m;
                m2 += moment[i * 2 * C + C + j] + PIXELS * off * off;
            }
            assert_true(fabsl(mean[j] - m) <= ldexpl(fabsl(m), -50));
            /* A mean of 10^j is rounded to 2^-50 of it, beside deviations of 1. */
            assert_true(fabsl(squares[j] - m2) <= m2 * (ldexpl(pow(10, j), -46) + 0x1p-50L));
        }
    }
}

static void sums_are_the_sums(void **state) {
    (void)state;
    plan p = {.sync_exponent = exponent, .sync_sum = sum};
    layer l = make_layer();
    draw();
    assert_int_equal(sync_sums(&p, &l, IMAGES, &alone), IMAGES);
    for (int j = 0; j < 2 * C; j++) {
        long double all = 0, size = 0;
        for (int i = 0; i < IMAGES; i++) {
            all += moment[i * 2 * C + j];
            size += fabsl((long double)moment[i * 2 * C + j]);
        }
        assert_true(fabsl(total[j] - all) <= ldexpl(size, -50));
    }
}

static void what_is_not_finite(void **state) {
    (void)state;
    plan p = {.sync_exponent = exponent, .sync_sum = sum};
    layer l = make_layer();
    draw();
    moment[2] = INFINITY;
    moment[C + 2] = NAN;
    sync_moments(&p, &l, IMAGES, &alone);
    for (int j = 0; j < C; j++) {
        assert_true(isnan(mean[j]) == (j == 2));
        assert_true(isnan(squares[j]) == (j == 2));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_long_double),
        cmocka_unit_test(sums_are_the_sums),
        cmocka_unit_test(what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
