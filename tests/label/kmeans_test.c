/* Labels against a plain float64 loop on near ties, exact sums against a plain loop, for both
 * storage types, any number of threads and shapes that fill no tile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/label/kmeans.h"
#include "src/label/kmeans_product.h"

#include <math.h>
#include <string.h>

/* The definition, as plainly as it can be written. */
static double plain_distance(const float *x, const float *c, int d) {
    double lane[8] = {0};
    for (int j = 0; j < d; j++) {
        double e = (double)x[j] - (double)c[j];
        double square = e * e;
        lane[j % 8] += square;
    }
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static int plain_label(const float *x, const float *c, int k, int d, double *least) {
    int best = 0;
    *least = INFINITY;
    for (int a = 0; a < k; a++) {
        double distance = plain_distance(x, c + (size_t)a * (size_t)d, d);
        if (distance < *least) *least = distance, best = a;
    }
    return best;
}

typedef struct problem {
    size_t n;
    int d, k;
    float *x, *c;
    random_stream r;
} problem;

static problem create(size_t n, int d, int k) {
    problem p = {n, d, k, NULL, NULL, random_begin(3, RANDOM_SYNTH, (uint64_t)d, (uint64_t)k)};
    p.x = memory_alloc(n * (size_t)d, sizeof *p.x, "rows");
    p.c = memory_alloc((size_t)(k * d), sizeof *p.c, "centroids");
    for (size_t i = 0; i < n * (size_t)d; i++) p.x[i] = (float)random_normal(&p.r);
    for (int i = 0; i < k * d; i++) p.c[i] = (float)random_normal(&p.r);
    return p;
}

static void destroy(problem *p) {
    memory_free(p->x);
    memory_free(p->c);
}

static void check(const problem *p, const features *f, int threads) {
    uint16_t *label = memory_alloc(p->n, sizeof *label, "labels");
    float *distance = memory_alloc(p->n, sizeof *distance, "distances");
    kmeans_counts counts;
    int64_t changed = 0;
    assert_int_equal(kmeans_assign(f, p->c, p->k, threads, label, distance, &counts), STATUS_OK);
    for (size_t i = 0; i < p->n; i++) {
        double least;
        int expected = plain_label(p->x + i * (size_t)p->d, p->c, p->k, p->d, &least);
        assert_int_equal(label[i], expected);
        assert_true(distance[i] == (float)least);
        changed += label[i] != 0;
    }
    assert_int_equal(counts.changed, changed);
    assert_true(counts.kept >= (int64_t)p->n);
    assert_int_equal(kmeans_assign(f, p->c, p->k, threads, label, distance, &counts), STATUS_OK);
    assert_int_equal(counts.changed, 0);
    memory_free(label);
    memory_free(distance);
}

/* Centroids a little further: some stay, some jump. */
static void move(problem *p, int round) {
    for (int a = 0; a < p->k; a++) {
        float by = a % 5 == round ? 0.3f : 1e-3f;
        if (a % 3 == 0) continue;
        for (int j = 0; j < p->d; j++) p->c[a * p->d + j] *= 1 + by * (float)random_normal(&p->r);
    }
}

/* The same labels from a screen that remembers the rounds before. */
static void check_screen(const problem *p, const features *f, kmeans_assigner_options o) {
    enum { ROUNDS = 5 };
    size_t words = (size_t)(p->k * p->d);
    problem q = *p;
    kmeans_assigner *assigner;
    uint16_t *label = memory_alloc(p->n, sizeof *label, "labels");
    q.c = memory_alloc(words, sizeof *q.c, "centroids");
    memcpy(q.c, p->c, words * sizeof *q.c);
    memset(label, 0xFF, p->n * sizeof *label);
    assert_int_equal(kmeans_assigner_create(&assigner, f, &o), STATUS_OK);
    for (int round = 0; round < ROUNDS; round++) {
        kmeans_counts counts;
        int64_t changed = 0;
        uint16_t before[512];
        memcpy(before, label, p->n * sizeof *label);
        assert_int_equal(kmeans_assigner_assign(assigner, q.c, label, &counts), STATUS_OK);
        for (size_t i = 0; i < p->n; i++) {
            double least;
            int expected = plain_label(p->x + i * (size_t)p->d, q.c, p->k, p->d, &least);
            assert_int_equal(label[i], expected);
            changed += label[i] != before[i];
        }
        assert_int_equal(counts.changed, changed);
        assert_true(counts.kept >= (int64_t)p->n);
        if (round != 2) move(&q, round);
    }
    kmeans_assigner_destroy(assigner);
    memory_free(label);
    memory_free(q.c);
}

static void check_screens(const problem *p, const features *f) {
    for (int t = 0; t < PRODUCT_TYPES; t++)
        for (int screen = KMEANS_SCREEN_AUTO; screen <= KMEANS_SCREEN_PRUNED; screen++) {
            if (!product_available((product_type)t)) continue;
            kmeans_assigner_options o = {
                p->k, 1 + screen, (kmeans_screen)screen, (kmeans_arithmetic)t, NULL};
            check_screen(p, f, o);
        }
}

static void check_f32(const problem *p) {
    features f = {.n = p->n, .d = p->d, .data = p->x};
    check(p, &f, 1);
    check(p, &f, 3);
    check_screens(p, &f);
}

/* Row i between two centroids; centroids repeated, and one unit in the last place apart. */
static void near_ties(problem *p) {
    size_t d = (size_t)p->d;
    for (int a = 1; a < p->k; a++) {
        float *c = p->c + (size_t)a * d;
        uint64_t from = random_below(&p->r, (uint64_t)a);
        if (a % 3 == 0) continue;
        memcpy(c, p->c + from * d, d * sizeof *c);
        size_t j = random_below(&p->r, d);
        if (a % 3 == 2) c[j] = nextafterf(c[j], INFINITY);
    }
    for (size_t i = 0; i < p->n; i++) {
        const float *a = p->c + random_below(&p->r, (uint64_t)p->k) * d;
        const float *b = p->c + random_below(&p->r, (uint64_t)p->k) * d;
        for (size_t j = 0; j < d; j++) p->x[i * d + j] = (a[j] + b[j]) / 2;
    }
}

/* Norms from 1e-6 to 1e6, rows and centroids by themselves. */
static void spread_norms(problem *p) {
    size_t d = (size_t)p->d;
    for (size_t i = 0; i < p->n; i++) {
        float scale = (float)pow(10, random_between(&p->r, -6, 6));
        for (size_t j = 0; j < d; j++) p->x[i * d + j] *= scale;
    }
    for (int a = 0; a < p->k; a++) {
        float scale = (float)pow(10, random_between(&p->r, -6, 6));
        for (size_t j = 0; j < d; j++) p->c[(size_t)a * d + j] *= scale;
    }
}

/* All far from the origin and close together: fp32 products say next to nothing. */
static void shift(problem *p, float by) {
    for (size_t i = 0; i < p->n * (size_t)p->d; i++) p->x[i] = by + p->x[i] * 1e-3f;
    for (int i = 0; i < p->k * p->d; i++) p->c[i] = by + p->c[i] * 1e-3f;
}

static const int shapes[][3] = {{1, 1, 1}, {47, 3, 2}, {49, 8, 33}, {97, 17, 31}, {300, 64, 100},
    {131, 128, 65}, {200, 129, 64}, {150, 600, 40}, {90, 20, 2200}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_labels_are_the_definition(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < 5; kind++) {
            problem p = create((size_t)shapes[s][0], shapes[s][1], shapes[s][2]);
            if (kind == 1) near_ties(&p);
            if (kind == 2) spread_norms(&p);
            if (kind == 3) shift(&p, 100);
            if (kind == 4) near_ties(&p), spread_norms(&p);
            check_f32(&p);
            destroy(&p);
        }
}

/* The extremes that the contract allows: 2^50, subnormal numbers, zeros. */
static void test_labels_at_the_limits(void **state) {
    (void)state;
    const float scale[] = {0x1p47f, 0x1p-100f, 0x1p-146f, 0};
    for (int s = 0; s < 4; s++) {
        problem p = create(60, 37, 35);
        for (size_t i = 0; i < p.n * (size_t)p.d; i++) p.x[i] *= scale[s];
        for (int i = 0; i < p.k * p.d; i++) p.c[i] *= scale[s];
        check_f32(&p);
        destroy(&p);
    }
}

static void test_labels_of_bf16_rows(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        problem p = create((size_t)shapes[s][0], shapes[s][1], shapes[s][2]);
        near_ties(&p);
        size_t size = p.n * (size_t)p.d;
        uint16_t *half = memory_alloc(size, sizeof *half, "rows");
        for (size_t i = 0; i < size; i++) {
            half[i] = bf16_from_float(p.x[i]);
            p.x[i] = bf16_to_float(half[i]);
        }
        features f = {.n = p.n, .d = p.d, .type = DTYPE_BF16, .data = half};
        check(&p, &f, 2);
        check_screens(&p, &f);
        memory_free(half);
        destroy(&p);
    }
}

static void test_distance_is_the_definition(void **state) {
    (void)state;
    for (int d = 1; d < 70; d++) {
        problem p = create(1, d, 1);
        assert_true(kmeans_distance(p.x, p.c, d) == plain_distance(p.x, p.c, d));
        destroy(&p);
    }
}

static void relabel(problem *p, uint16_t *label, int keep) {
    for (size_t i = 0; i < p->n; i++) {
        if (keep > 0 && i % (size_t)keep) continue;
        label[i] = i % 7 == 3 ? LABEL_NONE : (uint16_t)random_below(&p->r, (uint64_t)p->k);
    }
}

static void check_sums(const problem *p, const kmeans_sum_total *s, const uint16_t *label) {
    int k = p->k, d = p->d;
    int64_t *sum = memory_alloc((size_t)(k * d), sizeof *sum, "sums");
    int64_t *count = memory_alloc((size_t)k, sizeof *count, "counts");
    for (size_t i = 0; i < p->n; i++) {
        if (label[i] == LABEL_NONE) continue;
        count[label[i]]++;
        for (int j = 0; j < d; j++)
            sum[label[i] * d + j] +=
                llrint(ldexp((double)p->x[i * (size_t)d + (size_t)j], s->scale));
    }
    assert_memory_equal(sum, s->sum, (size_t)(k * d) * sizeof *sum);
    assert_memory_equal(count, s->count, (size_t)k * sizeof *count);
    memory_free(sum);
    memory_free(count);
}

/* Sums that follow the labels are those of a plain loop, whatever the labels were before. */
static void follow_labels(int n, int d, int k, int threads) {
    problem p = create((size_t)n, d, k);
    features f = {.n = p.n, .d = d, .data = p.x};
    int64_t bad;
    uint16_t *label = memory_alloc(p.n, sizeof *label, "labels");
    uint16_t *summed = memory_alloc(p.n, sizeof *summed, "labels");
    kmeans_sum_total s = {memory_alloc((size_t)(k * d), sizeof *s.sum, "sums"),
        memory_alloc((size_t)k, sizeof *s.count, "counts"),
        kmeans_scale(n, features_largest(&f, threads, &bad))};
    assert_int_equal(bad, -1);
    memset(summed, 0xFF, p.n * sizeof *summed);
    for (int round = 0; round < 4; round++) {
        relabel(&p, label, round);
        kmeans_sums_follow(&f, label, summed, threads, &s);
        assert_memory_equal(label, summed, p.n * sizeof *label);
        check_sums(&p, &s, label);
    }
    memory_free(s.sum);
    memory_free(s.count);
    memory_free(label);
    memory_free(summed);
    destroy(&p);
}

static void test_sums_are_exact(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int threads = 1; threads <= 7; threads += 3)
            follow_labels(shapes[s][0], shapes[s][1], shapes[s][2], threads);
}

/* What is made of sums, by one thread or several, of some clusters or of all. */
static double make(const kmeans_sum_total *s, const kmeans_making *m, int k, double squares,
    const float *old, float *c, int64_t *count) {
    int d = m->d, half = k / 2;
    size_t words = (size_t)d + 1, floats = (size_t)d + KMEANS_MADE;
    int64_t *row = memory_alloc((size_t)k * words, sizeof *row, "rows");
    float *made = memory_alloc((size_t)k * floats, sizeof *made, "made");
    kmeans_pack(s, k, d, m->threads, row);
    kmeans_make(m, row, half, old, made);
    kmeans_make(
        m, row + (size_t)half * words, k - half, old + half * d, made + (size_t)half * floats);
    double objective = kmeans_take(m, made, k, squares, c, count);
    kmeans_unpack(row, k, d, row, count);
    assert_memory_equal(row, s->sum, (size_t)(k * d) * sizeof *row);
    assert_memory_equal(count, s->count, (size_t)k * sizeof *count);
    memory_free(row);
    memory_free(made);
    return objective;
}

/* From sums, and row by row. */
static void test_objective(void **state) {
    (void)state;
    enum { N = 500, D = 33, K = 7 };
    problem p = create(N, D, K);
    features f = {.n = N, .d = D, .data = p.x};
    int64_t bad, sum[K * D] = {0}, count[K] = {0};
    uint16_t label[N], summed[N];
    kmeans_sum_total s = {sum, count, kmeans_scale(N, features_largest(&f, 1, &bad))};
    sum128 squares;
    double plain = 0;
    for (int i = 0; i < N; i++) {
        label[i] = (uint16_t)(i % K);
        plain += plain_distance(p.x + i * D, p.c + label[i] * D, D);
    }
    memset(summed, 0xFF, sizeof summed);
    kmeans_sums_follow(&f, label, summed, 2, &s);
    double largest, square[N];
    assert_int_equal(features_check(&f, 2, &largest, square), STATUS_OK);
    kmeans_squares(square, N, 90, 3, &squares);
    float c[K * D], mean[K * D];
    int64_t counted[K];
    const kmeans_making m = {.d = D, .scale = s.scale, .threads = 1};
    double found = make(&s, &m, K, ldexp((double)sum128_value(&squares), -90), p.c, c, counted);
    assert_true(fabs(found - plain) < 1e-11 * plain);
    kmeans_centroids(&s, K, D, 0, 1, mean);
    assert_memory_equal(c, mean, sizeof c);
    destroy(&p);
}

/* The largest sum that the scale allows stays in range, and a halving row ties to even. */
static void test_scale_leaves_room(void **state) {
    (void)state;
    const int64_t rows[] = {1, 2, 3, 1000000, (int64_t)1 << 40};
    const double largest[] = {1, 0.99, 1.5, 0x1p50, 3e-20};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            double one = ldexp(largest[j], kmeans_scale(rows[i], largest[j]));
            assert_true(one <= 0x1p50);
            assert_true(one * (double)rows[i] <= 0x1p62);
            assert_true(one * (double)rows[i] > 0x1p59 || one > 0x1p48);
        }
    int64_t from = 0, to = 0;
    kmeans_move(&(float){2.5f}, 1, 0, &from, &to);
    kmeans_move(&(float){-3.5f}, 1, 0, &from, &to);
    assert_int_equal(to, 2 - 4);
    assert_int_equal(from, -to);
}

static void test_centroids(void **state) {
    (void)state;
    int64_t sum[] = {3 << 10, 4 << 10, 0, 0, 30 << 10, 40 << 10, 0, 0};
    int64_t count[] = {2, 0, 10, 5};
    const kmeans_sum_total s = {sum, count, 10};
    float c[8] = {9, 9, 8, 7, 9, 9, 6, 5}, unit[8];
    memcpy(unit, c, sizeof c);
    kmeans_centroids(&s, 4, 2, 0, 1, c);
    const float mean[] = {1.5f, 2, 8, 7, 3, 4, 0, 0};
    for (int i = 0; i < 8; i++) assert_true(c[i] == mean[i]);
    kmeans_centroids(&s, 4, 2, 1, 1, unit);
    const float sphere[] = {0.6f, 0.8f, 8, 7, 0.6f, 0.8f, 6, 5};
    for (int i = 0; i < 8; i++) assert_true(unit[i] == sphere[i]);
}

/* More elements than one thread takes; some clusters are empty, whose centroids stay. */
static void test_centroids_by_threads(void **state) {
    (void)state;
    enum { K = 2500, D = 24 };
    random_stream r = random_begin(5, RANDOM_SYNTH, 0, 0);
    int64_t *sum = memory_alloc(K * D, sizeof *sum, "sums"), count[K], counted[K];
    float *c = memory_alloc(K * D, sizeof *c, "centroids"),
          *old = memory_alloc(K * D, sizeof *old, "centroids"),
          *by_one = memory_alloc(K * D, sizeof *by_one, "same");
    for (int i = 0; i < K * D; i++) {
        sum[i] = (int64_t)ldexp(random_normal(&r), 40);
        old[i] = (float)random_normal(&r);
    }
    for (int a = 0; a < K; a++) count[a] = a % 9;
    const kmeans_sum_total s = {sum, count, 38};
    for (int cosine = 0; cosine < 2; cosine++) {
        kmeans_making m = {D, 38, cosine, 1};
        memcpy(by_one, old, K * D * sizeof *old);
        kmeans_centroids(&s, K, D, cosine, 1, by_one);
        double one = make(&s, &m, K, 1e9, old, c, counted);
        for (m.threads = 1; m.threads <= 5; m.threads++) {
            assert_true(make(&s, &m, K, 1e9, old, c, counted) == one);
            assert_memory_equal(c, by_one, K * D * sizeof *c);
            memcpy(c, old, K * D * sizeof *old);
            kmeans_centroids(&s, K, D, cosine, m.threads, c);
            assert_memory_equal(c, by_one, K * D * sizeof *c);
        }
    }
    memory_free(old);
    memory_free(sum);
    memory_free(c);
    memory_free(by_one);
}

static void test_bad_features_are_found(void **state) {
    (void)state;
    float x[40];
    const float bad[] = {NAN, INFINITY, -INFINITY, 0x1.000002p50f};
    features f = {.n = 8, .d = 5, .data = x};
    for (int b = 0; b < 4; b++) {
        int64_t row;
        for (int i = 0; i < 40; i++) x[i] = (float)-i;
        assert_true(features_largest(&f, 2, &row) == 39);
        assert_int_equal(row, -1);
        x[38] = x[17] = bad[b];
        features_largest(&f, 2, &row);
        assert_int_equal(row, 3);
    }
    uint16_t half[] = {0x3F80, 0xC000, 0x7FC0, 0};
    int64_t row;
    features_largest(&(features){.n = 2, .d = 2, .type = DTYPE_BF16, .data = half}, 1, &row);
    assert_int_equal(row, 1);
    assert_true(features_largest(
                    &(features){.n = 1, .d = 2, .type = DTYPE_BF16, .data = half}, 1, &row) == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance_is_the_definition),
        cmocka_unit_test(test_labels_are_the_definition),
        cmocka_unit_test(test_labels_at_the_limits),
        cmocka_unit_test(test_labels_of_bf16_rows),
        cmocka_unit_test(test_sums_are_exact),
        cmocka_unit_test(test_objective),
        cmocka_unit_test(test_scale_leaves_room),
        cmocka_unit_test(test_centroids),
        cmocka_unit_test(test_centroids_by_threads),
        cmocka_unit_test(test_bad_features_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
