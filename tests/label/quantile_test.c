/* The exact threshold of the largest values against a sort, whole and in groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/label/quantile.h"

#include <math.h>
#include <stdlib.h>

enum { N = 3001, GROUPS = 5 };

static int descending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Values with many ties, zeros, subnormal and large ones. */
static void fill(float *value, uint16_t *group) {
    random_stream r = random_begin(4, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < N; i++) {
        float v = (float)pow(10, random_between(&r, -44, 38));
        value[i] = i % 3 == 0 ? (float)random_below(&r, 4) : i % 3 == 1 ? v : (float)(v < 1);
        group[i] = (uint16_t)(i % 50 == 7 ? 65535 : random_below(&r, GROUPS - 1));
    }
}

/* Counts in two parts, as two ranks would, and adds. */
static void select_in_parts(quantile *q, const float *value, const uint16_t *group, size_t n) {
    bool more;
    do {
        size_t half = n / 3, bins = (size_t)q->groups << q->digit;
        int64_t *first = memory_alloc(bins, sizeof *first, "histogram");
        quantile_count(q, value, group, half);
        for (size_t b = 0; b < bins; b++) first[b] = q->histogram[b];
        quantile_count(q, value + half, group ? group + half : NULL, n - half);
        for (size_t b = 0; b < bins; b++) q->histogram[b] += first[b];
        memory_free(first);
        more = quantile_narrow(q);
    } while (more);
}

/* sorted [n]: descending. */
static void check(const quantile *q, int g, const float *sorted, int64_t n, int64_t want) {
    if (want == 0) {
        assert_int_equal(q->threshold[g], UINT32_MAX);
        assert_true(isinf(quantile_value(q->threshold[g])));
        return;
    }
    float threshold = sorted[want - 1];
    int64_t above = 0;
    while (above < n && sorted[above] > threshold) above++;
    assert_true(quantile_value(q->threshold[g]) == threshold);
    assert_int_equal(q->left[g], want - above);
}

static void test_one_group(void **state) {
    (void)state;
    static float value[N], sorted[N];
    static uint16_t group[N];
    fill(value, group);
    for (int i = 0; i < N; i++) sorted[i] = value[i];
    qsort(sorted, N, sizeof *sorted, descending);
    for (int64_t want = 0; want <= N; want += want < 20 || want == N - 1 ? 1 : 149) {
        quantile q;
        assert_int_equal(quantile_create(&q, 1, &want), STATUS_OK);
        select_in_parts(&q, value, NULL, N);
        check(&q, 0, sorted, N, want);
        quantile_destroy(&q);
    }
}

static void test_groups(void **state) {
    (void)state;
    static float value[N], sorted[N];
    static uint16_t group[N];
    fill(value, group);
    for (int step = 0; step <= 4; step++) {
        quantile q;
        int64_t want[GROUPS] = {0}, size[GROUPS] = {0};
        for (int i = 0; i < N; i++)
            if (group[i] < GROUPS) size[group[i]]++;
        for (int g = 0; g < GROUPS; g++) want[g] = size[g] * step / 4;
        assert_int_equal(size[GROUPS - 1], 0); /* an empty group */
        assert_int_equal(quantile_create(&q, GROUPS, want), STATUS_OK);
        select_in_parts(&q, value, group, N);
        for (int g = 0; g < GROUPS; g++) {
            int64_t n = 0;
            for (int i = 0; i < N; i++)
                if (group[i] == g) sorted[n++] = value[i];
            qsort(sorted, (size_t)n, sizeof *sorted, descending);
            check(&q, g, sorted, n, want[g]);
        }
        quantile_destroy(&q);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_group),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
