/* Mini-batch k-means: the same bits on any number of ranks and threads, where Sculley's algorithm
 * of single steps ends, and not far from the result of all rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/mpi/kmeans_data.h"

#include <math.h>
#include <string.h>

static comm *world;

enum { K = 9 };

static kmeans_options options(void) {
    return (kmeans_options){.k = K,
        .iterations = 30,
        .restarts = 1,
        .threads = 1,
        .sample = 200,
        .seed = 5,
        .batch = 64,
        .outliers = 0.05};
}

typedef struct seen {
    int reports, batches;
    kmeans_iteration last;
} seen;

static status watch(void *context, const kmeans_iteration *it) {
    seen *s = context;
    s->reports++;
    s->batches += it->changed < 0;
    s->last = *it;
    assert_true(it->objective > 0 && it->imbalance >= 1 - 1e-12);
    assert_true(it->kept >= it->rows);
    return STATUS_OK;
}

static kmeans_result run(
    const comm *c, const kmeans_options *o, data *s, const float *start, seen *w) {
    features x = part_of(s, c);
    kmeans_result r;
    assert_int_equal(kmeans_run(c, o, &x, start, watch, w, &r), STATUS_OK);
    return r;
}

static void test_same_bits_on_any_ranks(void **state) {
    (void)state;
    data s = data_create();
    for (int kind = 0; kind < 4; kind++) {
        kmeans_options o = options(), threads;
        seen w = {0}, alone_seen = {0};
        o.cosine = kind % 2;
        if (kind >= 2) o.restarts = 3, o.batch = 5000;
        threads = o;
        threads.threads = 3;
        kmeans_result here = run(world, &o, &s, NULL, &w);
        kmeans_result alone = run(NULL, &threads, &s, NULL, &alone_seen);
        features mine = part_of(&s, world);
        assert_memory_equal(here.centroids, alone.centroids, K * DATA_D * sizeof *here.centroids);
        assert_memory_equal(here.label, alone.label + mine.before, mine.n * sizeof *here.label);
        assert_memory_equal(&here.objective, &alone.objective, sizeof(double));
        assert_memory_equal(&w.last.objective, &alone_seen.last.objective, sizeof(double));
        assert_int_equal(w.batches, o.restarts * o.iterations);
        assert_int_equal(w.reports, o.restarts * (o.iterations + 1));
        assert_int_equal(w.last.rows, s.n);
        assert_int_equal(here.iterations, o.iterations);
        result_destroy(&here);
        result_destroy(&alone);
    }
    memory_free(s.x);
}

static int nearest(data *s, int64_t row, const float *c) {
    int best = 0;
    double least = INFINITY;
    for (int a = 0; a < K; a++) {
        double distance = kmeans_distance(s->x + row * DATA_D, c + a * DATA_D, DATA_D);
        if (distance < least) least = distance, best = a;
    }
    return best;
}

/* One row after another moves its centroid by 1 / (rows that it has taken): algorithm 1 of the
 * paper, labels cached for a batch. */
static void plain(const kmeans_options *o, data *s, float *c) {
    int64_t taken[K] = {0}, row[64];
    int label[64];
    for (int t = 1; t <= o->iterations; t++) {
        random_stream r = random_begin(o->seed, RANDOM_BATCH, 0, (uint64_t)t);
        for (int i = 0; i < 64; i++) {
            row[i] = (int64_t)random_below(&r, (uint64_t)s->n);
            label[i] = nearest(s, row[i], c);
        }
        double moving[K * DATA_D];
        for (int j = 0; j < K * DATA_D; j++) moving[j] = (double)c[j];
        for (int i = 0; i < 64; i++) {
            double *to = moving + label[i] * DATA_D, rate = 1 / (double)++taken[label[i]];
            for (int j = 0; j < DATA_D; j++)
                to[j] += rate * ((double)s->x[row[i] * DATA_D + j] - to[j]);
        }
        for (int j = 0; j < K * DATA_D; j++) c[j] = (float)moving[j];
    }
}

static void test_ends_where_single_steps_end(void **state) {
    (void)state;
    data s = data_create();
    kmeans_options o = options();
    float start[K * DATA_D];
    seen w = {0};
    for (int a = 0; a < K; a++)
        memcpy(start + a * DATA_D, s.x + a * 70 * DATA_D, DATA_D * sizeof *start);
    kmeans_result r = run(world, &o, &s, start, &w);
    plain(&o, &s, start);
    for (int j = 0; j < K * DATA_D; j++)
        assert_true(fabs((double)r.centroids[j] - (double)start[j]) < 1e-5);
    result_destroy(&r);
    memory_free(s.x);
}

static void test_is_near_the_result_of_all_rows(void **state) {
    (void)state;
    data s = data_create();
    for (int cosine = 0; cosine < 2; cosine++) {
        kmeans_options o = options();
        seen w = {0};
        o.cosine = cosine;
        kmeans_result batches = run(world, &o, &s, NULL, &w);
        o.batch = 0;
        kmeans_result lloyd = run(world, &o, &s, NULL, &w);
        assert_true(batches.objective < 1.05 * lloyd.objective);
        for (int a = 0; cosine && a < K; a++) {
            double length =
                kmeans_distance(batches.centroids + a * DATA_D, (float[DATA_D]){0}, DATA_D);
            assert_true(fabs(length - 1) < 1e-6);
        }
        result_destroy(&batches);
        result_destroy(&lloyd);
    }
    memory_free(s.x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_on_any_ranks),
        cmocka_unit_test(test_ends_where_single_steps_end),
        cmocka_unit_test(test_is_near_the_result_of_all_rows),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
