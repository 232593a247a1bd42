/* DBSCAN's neighbours, clusters and labels against plain loops over kmeans_distance. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/label/dbscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { N = 611, MOST_D = 37 };

static const struct {
    const char *name;
    int d;
    double eps, spread, offset;
    int step; /* elements are multiples of spread: many pairs at just eps */
} cases[] = {
    {"blobs", 37, 4.1, 0.6, 0, 0},
    {"grid, distances of just eps", 3, 1, 1, 0, 1},
    {"grid, half a unit", 2, 0.5, 0.25, 0, 1},
    {"far from the origin", 5, 1.5, 0.6, 4096, 0},
    {"grid far from the origin", 3, 2, 1, 1 << 20, 1},
    {"tiny", 8, 1e-18, 3e-19, 0, 0},
    {"huge", 8, 0x1.4p48, 0x1p47, 0, 0},
    {"one dimension", 1, 0.01, 1, 0, 0},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void make_rows(int which, float *x) {
    random_stream r = random_begin(5, RANDOM_SYNTH, 0, (uint64_t)which);
    int d = cases[which].d;
    double spread = cases[which].spread;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < d; j++) {
            double v = 2 * (i % 5 == j % 5) + random_normal(&r);
            if (cases[which].step) v = (double)(int)(v * 2);
            x[i * d + j] = (float)(v * spread + cases[which].offset);
        }
}

static int near(int which, const float *x, const float *y) {
    return kmeans_distance(x, y, cases[which].d) <= cases[which].eps * cases[which].eps;
}

static void neighbours(void **state) {
    (void)state;
    float x[N * MOST_D];
    for (int w = 0; w < CASES; w++) {
        int64_t plain[N] = {0}, found[N] = {0}, pairs = 0;
        int d = cases[w].d;
        dbscan_rows rows;
        make_rows(w, x);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) plain[i] += near(w, x + i * d, x + j * d);
        assert_int_equal(dbscan_rows_create(&rows, x, N, d), STATUS_OK);
        for (int part = 0; part < 3; part++) {
            dbscan_share s = {cases[w].eps, part, 3, 2};
            size_t steps = dbscan_steps(&rows), some = steps / 2 + 1;
            dbscan_count(&rows, &s, (dbscan_range){0, some}, found);
            dbscan_count(&rows, &s, (dbscan_range){some, steps}, found);
        }
        for (int i = 0; i < N; i++) {
            pairs += plain[i];
            if (found[i] != plain[i])
                fail_msg("%s: row %d has %d neighbours, not %d", cases[w].name, i, (int)found[i],
                    (int)plain[i]);
        }
        if (pairs <= N || pairs >= (int64_t)N * N) fail_msg("%s: nothing to tell", cases[w].name);
        dbscan_rows_destroy(&rows);
    }
}

/* cluster [N]: by repeated passes, the lowest row that each can reach. */
static int plain_clusters(int which, const float *x, int32_t *cluster) {
    int d = cases[which].d, changed = 1, clusters = 0;
    int32_t least[N];
    for (int i = 0; i < N; i++) least[i] = i;
    while (changed) {
        changed = 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (least[j] < least[i] && near(which, x + i * d, x + j * d))
                    least[i] = least[j], changed = 1;
    }
    for (int i = 0; i < N; i++) cluster[i] = least[i] == i ? clusters++ : cluster[least[i]];
    return clusters;
}

static void clusters(void **state) {
    (void)state;
    float x[N * MOST_D];
    for (int w = 0; w < CASES; w++) {
        int32_t plain[N], found[N], parent[N], other[N];
        dbscan_rows rows;
        make_rows(w, x);
        int count = plain_clusters(w, x, plain);
        assert_int_equal(dbscan_rows_create(&rows, x, N, cases[w].d), STATUS_OK);
        for (int i = 0; i < N; i++) parent[i] = i;
        for (int part = 0; part < 3; part++) {
            dbscan_share s = {cases[w].eps, part, 3, 1 + part};
            for (int i = 0; i < N; i++) other[i] = i;
            size_t steps = dbscan_steps(&rows), some = steps / 2 + 1;
            assert_int_equal(dbscan_join(&rows, &s, (dbscan_range){some, steps}, other), STATUS_OK);
            assert_int_equal(dbscan_join(&rows, &s, (dbscan_range){0, some}, other), STATUS_OK);
            dbscan_unite(parent, other, N);
            assert_false(dbscan_unite(parent, other, N));
        }
        assert_int_equal(dbscan_number(parent, N, found), count);
        assert_memory_equal(found, plain, sizeof plain);
        if (count < 2 || count == N) fail_msg("%s: %d clusters tell nothing", cases[w].name, count);
        dbscan_rows_destroy(&rows);
    }
}

static void borders(void **state) {
    (void)state;
    enum { CORE = 250 };
    float x[N * MOST_D];
    for (int w = 0; w < CASES; w++) {
        int32_t cluster[CORE], plain[N], found[N];
        int d = cases[w].d;
        dbscan_rows rows, core;
        make_rows(w, x);
        for (int i = 0; i < CORE; i++) cluster[i] = i * 7 % 11;
        for (int i = 0; i < N; i++) {
            plain[i] = found[i] = -1;
            for (int j = 0; j < CORE; j++)
                if (near(w, x + i * d, x + j * d) && (plain[i] < 0 || cluster[j] < plain[i]))
                    plain[i] = cluster[j];
        }
        assert_int_equal(dbscan_rows_create(&rows, x, N, d), STATUS_OK);
        assert_int_equal(dbscan_rows_create(&core, x, CORE, d), STATUS_OK);
        for (int part = 0; part < 2; part++) {
            const dbscan_share s = {cases[w].eps, part, 2, 2};
            for (size_t at = 0; at < dbscan_border_steps(&rows); at++)
                dbscan_border(&rows, &core, cluster, &s, (dbscan_range){at, at + 1}, found);
        }
        assert_memory_equal(found, plain, sizeof plain);
        dbscan_rows_destroy(&rows);
        dbscan_rows_destroy(&core);
    }
}

static void extension(void **state) {
    (void)state;
    enum { CORE = 250 };
    static float x[N * MOST_D];
    for (int w = 0; w < CASES; w++) {
        int32_t cluster[CORE];
        uint16_t label[N];
        int d = cases[w].d;
        make_rows(w, x);
        for (int i = 0; i < CORE; i++) cluster[i] = i * 7 % 11;
        const features f = {.n = N, .d = d, .data = x};
        assert_int_equal(dbscan_extend(&f, x, cluster, CORE, cases[w].eps, 2, label), STATUS_OK);
        for (int i = 0; i < N; i++) {
            int best = 0;
            for (int j = 1; j < CORE; j++)
                if (kmeans_distance(x + i * d, x + j * d, d) <
                    kmeans_distance(x + i * d, x + best * d, d))
                    best = j;
            int expected = near(w, x + i * d, x + best * d) ? cluster[best] : (int)LABEL_NONE;
            if (label[i] != expected)
                fail_msg("%s: row %d has label %d, not %d", cases[w].name, i, label[i], expected);
        }
    }
}

/* More core points than k-means takes centroids: equally near ones in both parts. */
static void many_core_points(void **state) {
    (void)state;
    enum { CORE = 65600 };
    float *core = memory_alloc(CORE, sizeof *core, "core points");
    int32_t *cluster = memory_alloc(CORE, sizeof *cluster, "clusters");
    float x[] = {3, 65599, 65560.25f, -5, 70000};
    const uint16_t expected[] = {3, 9, 65560 % 1000, LABEL_NONE, LABEL_NONE};
    uint16_t label[5];
    for (int i = 0; i < CORE; i++) {
        core[i] = (float)i;
        cluster[i] = i % 1000;
    }
    core[65590] = 3; /* as near as the fourth */
    core[10] = 65599;
    cluster[10] = 9;
    const features f = {.n = 5, .d = 1, .data = x};
    assert_int_equal(dbscan_extend(&f, core, cluster, CORE, 0.5, 1, label), STATUS_OK);
    assert_memory_equal(label, expected, sizeof label);
    memory_free(core);
    memory_free(cluster);
}

static void means(void **state) {
    (void)state;
    const float core[] = {1, 0, 5, 5, 3, 0, 0, 4};
    const int32_t cluster[] = {0, 1, 0, 1};
    float c[4];
    assert_int_equal(dbscan_means(core, cluster, 4, 2, 2, 0, c), STATUS_OK);
    assert_memory_equal(c, ((float[]){2, 0, 2.5f, 4.5f}), sizeof c);
    assert_int_equal(dbscan_means(core, cluster, 4, 2, 2, 1, c), STATUS_OK);
    assert_true(c[0] == 1 && c[1] == 0 && fabs(hypot(c[2], c[3]) - 1) < 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours),
        cmocka_unit_test(clusters),
        cmocka_unit_test(borders),
        cmocka_unit_test(extension),
        cmocka_unit_test(many_core_points),
        cmocka_unit_test(means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
