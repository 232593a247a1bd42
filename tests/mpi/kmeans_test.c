/* Distributed k-means gives the bits of one rank without MPI, however the images are dealt out;
 * and ends where scikit-learn ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mpi/features_place.h"
#include "mpi/kmeans.h"
#include "mpi/outliers.h"
#include "mpi/shard.h"
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/unit_length.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES = 9, D = 21 };

static comm *world;

typedef struct data {
    int height[IMAGES], width[IMAGES];
    int64_t n;
    float *x; /* [n, D] */
} data;

/* Images of different sizes, one of them empty; rows around 6 centres of length 1. */
static data make_data(void) {
    data s = {.height = {90, 1, 0, 131, 16, 17, 1, 48, 33}, .width = {1, 1, 7, 1, 4, 1, 200, 1, 3}};
    float centre[6 * D];
    random_stream r = random_begin(6, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < 6 * D; i++) centre[i] = (float)random_normal(&r);
    for (int i = 0; i < IMAGES; i++) s.n += s.height[i] * s.width[i];
    s.x = memory_alloc((size_t)s.n * D, sizeof *s.x, "rows");
    for (int64_t i = 0; i < s.n; i++) {
        uint64_t from = random_below(&r, 6) * D;
        for (int j = 0; j < D; j++)
            s.x[i * D + j] = centre[from + (uint64_t)j] + (float)(0.5 * random_normal(&r));
    }
    unit_length_rows(s.x, (size_t)s.n, D);
    return s;
}

/* Images begin .. end - 1, borrowed, placed among those of c. Collective. */
static features part_of(
    data *s, const comm *c, const void *rows, dtype type, int64_t begin, int64_t end) {
    features x = {.d = D,
        .type = type,
        .first = begin,
        .images = end - begin,
        .height = s->height + begin,
        .width = s->width + begin};
    for (int64_t i = 0; i < x.images; i++) x.n += features_image_rows(&x, i);
    features_place(c, &x);
    x.data = (char *)(size_t)rows + (size_t)x.before * D * dtype_size(type);
    return x;
}

static status run(const comm *c, const kmeans_options *o, const features *x, const float *start,
    kmeans_result *out) {
    return kmeans_run(c, o, x, start, NULL, NULL, out);
}

static void release(kmeans_result *r) {
    memory_free(r->centroids);
    memory_free(r->label);
    memory_free(r->distance);
}

static bool same_double(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Images begin .. end - 1 of this rank give what one rank without MPI gets from all. */
static void check_part(const kmeans_options *o, data *s, const void *rows, dtype type,
    const float *start, int64_t begin, int64_t end) {
    features mine = part_of(s, world, rows, type, begin, end);
    features all = part_of(s, NULL, rows, type, 0, IMAGES);
    kmeans_result here, alone;
    kmeans_options other = *o;
    other.threads = 3;
    assert_int_equal(run(NULL, &other, &all, start, &alone), STATUS_OK);
    assert_int_equal(run(world, o, &mine, start, &here), STATUS_OK);
    assert_memory_equal(here.centroids, alone.centroids, (size_t)o->k * D * sizeof *here.centroids);
    assert_memory_equal(here.label, alone.label + mine.before, mine.n * sizeof *here.label);
    assert_true(same_double(here.objective, alone.objective));
    assert_true(same_double(here.outlier_threshold, alone.outlier_threshold));
    assert_int_equal(here.iterations, alone.iterations);
    release(&here);
    release(&alone);
}

/* Images dealt evenly, all to the first rank, all to the last. */
static void check_parts(
    const kmeans_options *o, data *s, const void *rows, dtype type, const float *start) {
    int rank = comm_rank(world), size = comm_size(world);
    check_part(o, s, rows, type, start, shard_begin(IMAGES, rank, size),
        shard_begin(IMAGES, rank + 1, size));
    check_part(o, s, rows, type, start, rank == 0 ? 0 : IMAGES, IMAGES);
    check_part(o, s, rows, type, start, 0, rank == size - 1 ? IMAGES : 0);
}

static kmeans_options options(void) {
    return (kmeans_options){.k = 12,
        .iterations = 12,
        .restarts = 1,
        .threads = 1,
        .cosine = 1,
        .sample = 100,
        .seed = 7,
        .outliers = 0.05};
}

static void test_same_bits_as_alone(void **state) {
    (void)state;
    data s = make_data();
    for (int kind = 0; kind < 6; kind++) {
        kmeans_options o = options();
        o.cosine = kind % 2;
        if (kind == 1) o.restarts = 4, o.scope = OUTLIERS_CLUSTER;
        if (kind == 2) o.init = KMEANS_RANDOM, o.tolerance = 0.01;
        if (kind == 3) o.sample = 2, o.outliers = 0;
        if (kind == 4) o.sample = 100000, o.iterations = 2, o.outliers = 0.5;
        if (kind == 5) o.k = (int)s.n; /* every row a cluster */
        check_parts(&o, &s, s.x, DTYPE_F32, NULL);
    }
    memory_free(s.x);
}

static void test_bf16_rows(void **state) {
    (void)state;
    data s = make_data();
    size_t size = (size_t)s.n * D;
    uint16_t *half = memory_alloc(size, sizeof *half, "rows");
    for (size_t i = 0; i < size; i++) half[i] = bf16_from_float(s.x[i]);
    kmeans_options o = options();
    check_parts(&o, &s, half, DTYPE_BF16, NULL);
    memory_free(half);
    memory_free(s.x);
}

/* Copies of four rows only: what is equal cannot be told apart. */
static void test_fewer_distinct_rows_than_clusters(void **state) {
    (void)state;
    data s = make_data();
    for (int64_t i = 4; i < s.n; i++) memcpy(s.x + i * D, s.x + (i * 7 % 4) * D, D * sizeof *s.x);
    for (int cosine = 0; cosine < 2; cosine++) {
        kmeans_options o = options();
        kmeans_result r;
        features all = part_of(&s, NULL, s.x, DTYPE_F32, 0, IMAGES);
        o.cosine = cosine;
        check_parts(&o, &s, s.x, DTYPE_F32, NULL);
        assert_int_equal(run(NULL, &o, &all, NULL, &r), STATUS_OK);
        assert_true(r.objective < 1e-10);
        assert_true(r.iterations < 5);
        release(&r);
    }
    memory_free(s.x);
}

/* Rows of zeros lie in no direction: they fill no cluster, and are not moved for ever. */
static void test_zero_rows_end_a_cosine_run(void **state) {
    (void)state;
    data s = make_data();
    kmeans_options o = options();
    kmeans_result r;
    for (int64_t i = 0; i < s.n; i++)
        for (int j = 0; j < D; j++) s.x[i * D + j] = i % 3 > 0 && j == i % 3 ? 1 : 0;
    o.cosine = 1;
    o.iterations = 50;
    check_parts(&o, &s, s.x, DTYPE_F32, NULL);
    features all = part_of(&s, NULL, s.x, DTYPE_F32, 0, IMAGES);
    assert_int_equal(run(NULL, &o, &all, NULL, &r), STATUS_OK);
    assert_true(r.iterations < 5);
    release(&r);
    memory_free(s.x);
}

typedef struct seen {
    int reports, repaired, stop_at;
    double first, last;
} seen;

static status watch(void *context, const kmeans_iteration *it) {
    seen *s = context;
    assert_int_equal(it->iteration, s->reports);
    if (s->reports++ == 0) s->first = it->objective;
    s->last = it->objective;
    s->repaired += it->repaired;
    assert_true(it->imbalance >= 1 - 1e-12);
    return s->reports == s->stop_at ? STATUS_STOPPED : STATUS_OK;
}

/* Equal initial centroids: all but one cluster are empty at first, and none in the end. */
static void test_empty_clusters_are_repaired(void **state) {
    (void)state;
    data s = make_data();
    float start[12 * D];
    seen w = {0};
    kmeans_options o = options();
    kmeans_result r;
    int used[12] = {0};
    for (int a = 0; a < 12; a++) memcpy(start + a * D, s.x, D * sizeof *start);
    check_parts(&o, &s, s.x, DTYPE_F32, start);
    features all = part_of(&s, NULL, s.x, DTYPE_F32, 0, IMAGES);
    assert_int_equal(kmeans_run(NULL, &o, &all, start, watch, &w, &r), STATUS_OK);
    assert_true(w.repaired >= 11);
    assert_true(w.last < 0.5 * w.first);
    assert_int_equal(w.reports, r.iterations + 1);
    /* From sums, and from distances rounded to float32. */
    assert_true(fabs(w.last - r.objective) < 1e-7 * r.objective);
    for (int64_t i = 0; i < s.n; i++)
        if (r.label[i] != LABEL_NONE) used[r.label[i]]++;
    for (int a = 0; a < 12; a++) assert_true(used[a] > 0);
    release(&r);
    memory_free(s.x);
}

/* A cluster whose only row leaves it for an empty one stays where it was. */
static void test_a_cluster_that_gives_its_last_row(void **state) {
    (void)state;
    const float rows[] = {0, 0.125f, 10}, start[] = {0, 0, 7}, want[] = {0.0625f, 10, 7};
    int height = 3, width = 1;
    const features x = {.n = 3,
        .d = 1,
        .type = DTYPE_F32,
        .data = (void *)(size_t)rows,
        .images = 1,
        .height = &height,
        .width = &width,
        .total = 3};
    const kmeans_options o = {
        .k = 3, .iterations = 1, .restarts = 1, .threads = 1, .tolerance = -1};
    kmeans_result r;
    assert_int_equal(run(NULL, &o, &x, start, &r), STATUS_OK);
    assert_memory_equal(r.centroids, want, sizeof want);
    release(&r);
}

/* More sums than go in one piece; two clusters are empty at first. */
static void test_several_pieces(void **state) {
    (void)state;
    enum { K = 500, WIDE = 300, EACH = 100, MANY = 7, N = EACH * MANY };
    int height[MANY], width[MANY], rank = comm_rank(world), size = comm_size(world);
    float *x = memory_alloc(N * WIDE, sizeof *x, "rows");
    random_stream r = random_begin(8, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < N * WIDE; i++) x[i] = (float)random_normal(&r);
    for (int i = 0; i < MANY; i++) {
        height[i] = EACH;
        width[i] = 1;
    }
    float *start = memory_alloc(K * WIDE, sizeof *start, "start");
    memcpy(start, x, K * WIDE * sizeof *start);
    memcpy(start + 250 * WIDE, x, 2 * WIDE * sizeof *start);
    int64_t begin = shard_begin(MANY, rank, size), end = shard_begin(MANY, rank + 1, size);
    features all = {.n = N,
        .d = WIDE,
        .type = DTYPE_F32,
        .data = x,
        .images = MANY,
        .height = height,
        .width = width,
        .total = N};
    features mine = all;
    mine.first = begin;
    mine.images = end - begin;
    mine.n = (size_t)(end - begin) * EACH;
    features_place(world, &mine);
    mine.data = x + begin * EACH * WIDE;
    for (int cosine = 0; cosine < 2; cosine++) {
        const kmeans_options o = {.k = K,
            .iterations = 2,
            .restarts = 1,
            .threads = 2,
            .tolerance = -1,
            .cosine = cosine};
        kmeans_result here, alone;
        if (cosine) unit_length_rows(x, N, WIDE);
        assert_int_equal(run(NULL, &o, &all, start, &alone), STATUS_OK);
        assert_int_equal(run(world, &o, &mine, start, &here), STATUS_OK);
        assert_memory_equal(here.centroids, alone.centroids, K * WIDE * sizeof *here.centroids);
        assert_memory_equal(here.label, alone.label + mine.before, mine.n * sizeof *here.label);
        assert_true(same_double(here.objective, alone.objective));
        release(&here);
        release(&alone);
    }
    memory_free(start);
    memory_free(x);
}

/* With cosine a start is directions: rows of any length begin where those of length 1 do, and rows
 * that have length 1 are taken to the bit. Not in powers of two, which would be exact anyway. */
static void test_lengths_of_a_cosine_start_do_not_matter(void **state) {
    (void)state;
    data s = make_data();
    kmeans_options o = options();
    float start[12 * D];
    seen unit = {0}, other = {0};
    kmeans_result r, long_ones;
    features all = part_of(&s, NULL, s.x, DTYPE_F32, 0, IMAGES);
    memcpy(start, s.x, sizeof start);
    o.iterations = 1;
    assert_int_equal(kmeans_run(NULL, &o, &all, start, watch, &unit, &r), STATUS_OK);
    for (int j = 0; j < 12 * D; j++) start[j] *= 0.3F + (float)(j / D);
    assert_int_equal(kmeans_run(NULL, &o, &all, start, watch, &other, &long_ones), STATUS_OK);
    assert_true(fabs(other.first - unit.first) < 1e-6 * unit.first);
    assert_true(fabs(other.last - unit.last) < 1e-6 * unit.last);
    release(&long_ones);
    release(&r);
    o.iterations = 0;
    memcpy(start, s.x, sizeof start);
    check_parts(&o, &s, s.x, DTYPE_F32, start);
    assert_int_equal(run(NULL, &o, &all, start, &r), STATUS_OK);
    assert_memory_equal(r.centroids, start, sizeof start);
    release(&r);
    memory_free(s.x);
}

/* The definition of labels, objective and outliers, from the centroids that are returned. */
static void test_result_belongs_to_its_centroids(void **state) {
    (void)state;
    data s = make_data();
    kmeans_options o = options();
    o.iterations = 3;
    o.restarts = 3;
    features all = part_of(&s, NULL, s.x, DTYPE_F32, 0, IMAGES);
    kmeans_result r;
    assert_int_equal(run(NULL, &o, &all, NULL, &r), STATUS_OK);
    double objective = 0;
    int64_t outliers = 0;
    for (int64_t i = 0; i < s.n; i++) {
        int best = 0;
        double least = INFINITY;
        for (int a = 0; a < o.k; a++) {
            double distance = kmeans_distance(s.x + i * D, r.centroids + a * D, D);
            if (distance < least) least = distance, best = a;
        }
        objective += least;
        outliers += r.label[i] == LABEL_NONE;
        if (r.label[i] == LABEL_NONE)
            assert_true((float)least >= (float)r.outlier_threshold);
        else
            assert_true(r.label[i] == best && (float)least <= (float)r.outlier_threshold);
    }
    assert_int_equal(outliers, llround(0.05 * (double)s.n));
    assert_true(fabs(r.objective - objective) < 1e-7 * objective);
    for (int a = 0; a < o.k; a++) {
        double length = kmeans_distance(r.centroids + a * D, (float[D]){0}, D);
        assert_true(fabs(length - 1) < 1e-6);
    }
    release(&r);
    memory_free(s.x);
}

/* Ties at the threshold: the first ones in the order of image and pixel. */
static void test_tied_outliers(void **state) {
    (void)state;
    int rank = comm_rank(world), size = comm_size(world);
    enum { N = 100 };
    for (int scope = 0; scope < 2; scope++) {
        float distance[N];
        uint16_t label[N];
        double threshold;
        int64_t begin = shard_begin(N, rank, size), end = shard_begin(N, rank + 1, size);
        for (int64_t i = begin; i < end; i++) {
            distance[i - begin] = i == 90 || i == 91 ? 3 : 1;
            label[i - begin] = (uint16_t)(i % 2);
        }
        const kmeans_options o = {
            .k = 2, .outliers = 0.1, .scope = scope ? OUTLIERS_CLUSTER : OUTLIERS_GLOBAL};
        assert_int_equal(
            outliers_mark(world, &o, distance, label, (size_t)(end - begin), &threshold),
            STATUS_OK);
        /* Of 100 rows 10: two farther ones and the first eight; by cluster 5 of each 50. */
        for (int64_t i = begin; i < end; i++)
            assert_int_equal(label[i - begin] == LABEL_NONE, i < 8 || i == 90 || i == 91);
        assert_true(scope ? isnan(threshold) : threshold == 1);
    }
}

typedef struct fixture {
    int32_t n, d, k, iterations;
    float *x, *start;
    double *centroids, objective;
    int32_t *label;
} fixture;

static void *read_array(FILE *f, size_t count, size_t size) {
    void *p = memory_alloc(count, size, "fixture");
    assert_int_equal(fread(p, size, count, f), count);
    return p;
}

static fixture read_fixture(void) {
    fixture t;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/kmeans.bin", "rb");
    assert_non_null(f);
    assert_int_equal(fread(&t.n, sizeof t.n, 4, f), 4);
    size_t d = (size_t)t.d, k = (size_t)t.k;
    t.x = read_array(f, (size_t)t.n * d, sizeof *t.x);
    t.start = read_array(f, k * d, sizeof *t.start);
    t.centroids = read_array(f, k * d, sizeof *t.centroids);
    assert_int_equal(fread(&t.objective, sizeof t.objective, 1, f), 1);
    t.label = read_array(f, (size_t)t.n, sizeof *t.label);
    fclose(f);
    return t;
}

static void test_ends_where_scikit_learn_ends(void **state) {
    (void)state;
    fixture t = read_fixture();
    kmeans_options o = options();
    o.k = t.k;
    o.cosine = 0;
    o.iterations = 300;
    o.outliers = 0;
    int64_t begin = shard_begin(t.n, comm_rank(world), comm_size(world));
    int64_t rows = shard_begin(t.n, comm_rank(world) + 1, comm_size(world)) - begin;
    int height = (int)rows, width = 1;
    features x = {.n = (size_t)rows,
        .d = t.d,
        .data = t.x + begin * t.d,
        .first = comm_rank(world),
        .images = 1,
        .height = &height,
        .width = &width};
    kmeans_result r;
    features_place(world, &x);
    assert_int_equal(run(world, &o, &x, t.start, &r), STATUS_OK);
    assert_true(fabs(r.objective - t.objective) < 1e-6 * t.objective);
    for (int i = 0; i < t.k * t.d; i++)
        assert_true(fabs((double)r.centroids[i] - t.centroids[i]) < 1e-6);
    for (int64_t i = 0; i < rows; i++) assert_int_equal(r.label[i], t.label[begin + i]);
    assert_true(isinf(r.outlier_threshold));
    release(&r);
    memory_free(t.x);
    memory_free(t.start);
    memory_free(t.centroids);
    memory_free(t.label);
}

static void test_errors_are_told_everywhere(void **state) {
    (void)state;
    data s = make_data();
    kmeans_options o = options();
    int rank = comm_rank(world), size = comm_size(world);
    features mine = part_of(&s, world, s.x, DTYPE_F32, shard_begin(IMAGES, rank, size),
        shard_begin(IMAGES, rank + 1, size));
    kmeans_result r = {.iterations = -1};
    o.k = (int)s.n + 1;
    assert_int_equal(run(world, &o, &mine, NULL, &r), STATUS_USAGE);
    o.k = 5;
    float start[5 * D] = {[7] = INFINITY}, keep = s.x[(s.n - 1) * D];
    assert_int_equal(run(world, &o, &mine, start, &r), STATUS_NONFINITE);
    s.x[(s.n - 1) * D] = NAN; /* image 8, pixel 98 */
    assert_int_equal(run(world, &o, &mine, NULL, &r), STATUS_NONFINITE);
    s.x[(s.n - 1) * D] = keep;
    seen w = {.stop_at = rank == size - 1 ? 2 : 100};
    assert_int_equal(kmeans_run(world, &o, &mine, NULL, watch, &w, &r), STATUS_STOPPED);
    assert_int_equal(w.reports, 2);
    assert_int_equal(r.iterations, -1);
    memory_free(s.x);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_alone),
        cmocka_unit_test(test_bf16_rows),
        cmocka_unit_test(test_fewer_distinct_rows_than_clusters),
        cmocka_unit_test(test_empty_clusters_are_repaired),
        cmocka_unit_test(test_a_cluster_that_gives_its_last_row),
        cmocka_unit_test(test_several_pieces),
        cmocka_unit_test(test_zero_rows_end_a_cosine_run),
        cmocka_unit_test(test_lengths_of_a_cosine_start_do_not_matter),
        cmocka_unit_test(test_result_belongs_to_its_centroids),
        cmocka_unit_test(test_tied_outliers),
        cmocka_unit_test(test_ends_where_scikit_learn_ends),
        cmocka_unit_test(test_errors_are_told_everywhere),
    };
    MPI_Init(&argc, &argv);
    if (comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_destroy(world);
    MPI_Finalize();
    return failed;
}
