#include "src/label/ward.h"

#include "src/base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { K = 60, D = 11 };

static float centroid[K * D];

static void fill(uint64_t seed) {
    random_stream r = random_begin(seed, RANDOM_INIT, 0, 0);
    for (int i = 0; i < K * D; i++) centroid[i] = (float)random_normal(&r);
}

/* The definition: of all pairs of groups the cheapest, again and again. */
static void reference(int groups, int32_t *group) {
    double cost = 0;
    for (int i = 0; i < K; i++) group[i] = i;
    for (int left = K; left > groups; left--) {
        int best_a = -1, best_b = -1;
        double least = INFINITY;
        for (int a = 0; a < K; a++)
            for (int b = a + 1; b < K; b++) {
                double na = 0, nb = 0, sum = 0;
                for (int i = 0; i < K; i++) na += group[i] == a, nb += group[i] == b;
                if (na == 0 || nb == 0) continue;
                for (int d = 0; d < D; d++) {
                    double x = 0, y = 0;
                    for (int i = 0; i < K; i++) {
                        if (group[i] == a) x += (double)centroid[i * D + d];
                        if (group[i] == b) y += (double)centroid[i * D + d];
                    }
                    sum += (x / na - y / nb) * (x / na - y / nb);
                }
                cost = sum * na * nb / (na + nb);
                if (cost < least) {
                    least = cost;
                    best_a = a;
                    best_b = b;
                }
            }
        for (int i = 0; i < K; i++)
            if (group[i] == best_b) group[i] = best_a;
    }
    int32_t number[K], next = 0;
    for (int i = 0; i < K; i++) number[i] = -1;
    for (int i = 0; i < K; i++) {
        if (number[group[i]] < 0) number[group[i]] = next++;
        group[i] = number[group[i]];
    }
}

static void agrees_with_definition(void **state) {
    (void)state;
    static const int wanted[] = {1, 2, 7, 20, 59, 60};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        fill(seed);
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
            int32_t right[K], group[K], other[K];
            reference(wanted[w], right);
            assert_int_equal(ward_groups(centroid, K, D, wanted[w], 1, group), STATUS_OK);
            assert_memory_equal(group, right, sizeof group);
            assert_int_equal(ward_groups(centroid, K, D, wanted[w], 3, other), STATUS_OK);
            assert_memory_equal(group, other, sizeof group);
        }
    }
}

/* Equal centroids, and costs that are all alike: no chain goes round for ever. */
static void equal_costs(void **state) {
    (void)state;
    int32_t group[K];
    memset(centroid, 0, sizeof centroid);
    assert_int_equal(ward_groups(centroid, K, D, 5, 2, group), STATUS_OK);
    bool seen[5] = {false};
    for (int i = 0; i < K; i++) {
        assert_in_range(group[i], 0, 4);
        seen[group[i]] = true;
    }
    for (int g = 0; g < 5; g++) assert_true(seen[g]);
    for (int i = 0; i < K; i++) centroid[i * D] = (float)i;
    assert_int_equal(ward_groups(centroid, K, D, K / 2, 1, group), STATUS_OK);
    for (int i = 0; i < K; i++) assert_int_equal(group[i], i / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_definition),
        cmocka_unit_test(equal_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
