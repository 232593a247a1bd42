/* What the screens of k-means ask of sixteen lanes at once, against plain loops: numbers of groups
 * of every parity, ties with the limit, none and all that pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/label/kmeans_lanes.h"

#include <math.h>

enum { LANES = 16, GROUPS = 9 };

static void fill(float *p, int groups) {
    random_stream r = random_begin(9, RANDOM_SYNTH, (uint64_t)groups, 0);
    for (int i = 0; i < groups * LANES; i++) p[i] = (float)random_below(&r, 40) - 8;
}

static void test_below(void **state) {
    (void)state;
    static const float limits[] = {-INFINITY, -8, -7.5f, 0, 3, 30, 31, INFINITY};
    float p[GROUPS * LANES];
    int kept[GROUPS * LANES];
    for (int groups = 0; groups <= GROUPS; groups++) {
        fill(p, groups);
        for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
            int found = lanes_below(p, groups, limits[l], kept), expected = 0;
            for (int i = 0; i < groups * LANES; i++)
                if (p[i] <= limits[l]) assert_int_equal(kept[expected++], i);
            assert_int_equal(found, expected);
        }
    }
}

static void test_least(void **state) {
    (void)state;
    float p[GROUPS * LANES], least[GROUPS];
    fill(p, GROUPS);
    lanes_least(p, GROUPS, least);
    for (int g = 0; g < GROUPS; g++) {
        float expected = p[g * LANES];
        for (int l = 1; l < LANES; l++) expected = fminf(expected, p[g * LANES + l]);
        assert_true(least[g] == expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
