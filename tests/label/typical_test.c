/* The selection against sorting all pixels of each cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/label/kmeans.h"
#include "src/label/typical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 23, PIXELS = 40, N = IMAGES * PIXELS, K = 5, SIZE = K * TYPICAL };

static uint16_t label[N];
static float distance[N];

/* Few distinct distances: many ties. Cluster 3 is in two images only, cluster 4 in none. */
static void make(void) {
    random_stream r = random_begin(2, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < N; i++) {
        label[i] = (uint16_t)random_below(&r, 3);
        if (i / PIXELS == 7 || i / PIXELS == 8) label[i] = (uint16_t)random_below(&r, 4);
        if (random_uniform(&r) < 0.1) label[i] = LABEL_NONE;
        distance[i] = (float)random_below(&r, 9) / 8;
    }
}

static void add(typical_pixel *list, int image) {
    uint32_t first[K] = {0}, zero[K] = {0};
    size_t at = (size_t)image * PIXELS;
    typical_add(list, (uint32_t)image, label + at, distance + at, PIXELS, first);
    assert_memory_equal(first, zero, sizeof first);
}

static int compare(const void *a, const void *b) {
    const int i = *(const int *)a, j = *(const int *)b;
    if (distance[i] != distance[j]) return distance[i] < distance[j] ? -1 : 1;
    return i < j ? -1 : 1;
}

static void expected(typical_pixel *list) {
    typical_clear(list, K);
    for (int a = 0; a < K; a++) {
        int order[N], n = 0, taken = 0, used[IMAGES] = {0};
        for (int i = 0; i < N; i++)
            if (label[i] == a) order[n++] = i;
        qsort(order, (size_t)n, sizeof *order, compare);
        for (int j = 0; j < n && taken < TYPICAL; j++) {
            int image = order[j] / PIXELS;
            if (used[image]++) continue;
            list[a * TYPICAL + taken++] =
                (typical_pixel){distance[order[j]], (uint32_t)image, (uint32_t)(order[j] % PIXELS)};
        }
    }
}

static void nearest_of_each_image(void **state) {
    (void)state;
    typical_pixel want[SIZE], list[SIZE];
    make();
    expected(want);
    typical_clear(list, K);
    for (int i = IMAGES - 1; i >= 0; i--) add(list, i);
    assert_memory_equal(list, want, sizeof want);
    assert_true(typical_is(&list[3 * TYPICAL + 1]) && !typical_is(&list[3 * TYPICAL + 2]));
    assert_false(typical_is(&list[4 * TYPICAL]));
}

static void parts_merge_to_the_same(void **state) {
    (void)state;
    typical_pixel want[SIZE], part[3][SIZE];
    make();
    expected(want);
    for (int p = 0; p < 3; p++) typical_clear(part[p], K);
    for (int i = 0; i < IMAGES; i++) add(part[i % 3], i);
    typical_merge(part[2], part[0], K);
    typical_merge(part[0], part[1], K);
    assert_memory_equal(part[1], want, sizeof want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_of_each_image),
        cmocka_unit_test(parts_merge_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
