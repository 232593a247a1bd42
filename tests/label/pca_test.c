/* Principal components against a plain float64 covariance. */
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/label/pca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 4, D = 21, N = 1700 };
static int height[IMAGES] = {300, 0, 13, 10}, width[IMAGES] = {1, 3, 100, 10}; /* 1300 > a unit */

typedef struct data {
    features x;
    double mean[D], covariance[D][D];
} data;

/* Correlated columns of different sizes and offsets; column 3 is 0. */
static void make_data(data *s, dtype type) {
    random_stream r = random_begin(3, RANDOM_SYNTH, 0, 0);
    memset(s, 0, sizeof *s);
    s->x = (features){
        .n = N, .d = D, .type = type, .images = IMAGES, .height = height, .width = width};
    s->x.data = memory_alloc(N * D, dtype_size(type), "rows");
    float *rows = memory_alloc(N * D, sizeof *rows, "rows");
    for (int i = 0; i < N; i++) {
        double shared = random_normal(&r);
        for (int j = 0; j < D; j++)
            rows[i * D + j] =
                (float)(j == 3 ? 0 : ldexp(5 + shared * (j % 4) + random_normal(&r), j % 5 - 2));
    }
    for (int i = 0; type == DTYPE_BF16 && i < N * D; i++) {
        ((uint16_t *)s->x.data)[i] = bf16_from_float(rows[i]);
        rows[i] = bf16_to_float(((uint16_t *)s->x.data)[i]);
    }
    if (type == DTYPE_F32) memcpy(s->x.data, rows, N * D * sizeof *rows);
    for (int i = 0; i < N * D; i++) s->mean[i % D] += (double)rows[i] / N;
    for (int i = 0; i < N; i++)
        for (int a = 0; a < D; a++)
            for (int b = 0; b < D; b++)
                s->covariance[a][b] += ((double)rows[i * D + a] - s->mean[a]) *
                                       ((double)rows[i * D + b] - s->mean[b]) / N;
    memory_free(rows);
}

/* What mpi/pca.c does on one rank; the products are kept in `product`. */
static pca fit(const features *x, int components, int threads, int64_t product[D * D]) {
    pca_units u;
    double largest[D] = {0};
    int exponent[D];
    int64_t sum[D] = {0};
    pca p = {.d = D, .components = components};
    memset(product, 0, D * D * sizeof *product);
    p.mean = memory_alloc(D, sizeof *p.mean, "mean");
    p.axis = memory_alloc((size_t)components * D, sizeof *p.axis, "axes");
    p.variance = memory_alloc((size_t)components, sizeof *p.variance, "variances");
    assert_int_equal(pca_units_create(&u, x), STATUS_OK);
    assert_int_equal(u.count, 4);
    assert_int_equal(pca_largest(x, largest), STATUS_OK);
    pca_exponents(largest, N, D, exponent);
    assert_int_equal(pca_sum(x, &u, exponent, threads, sum), STATUS_OK);
    for (int j = 0; j < D; j++) p.mean[j] = (float)(ldexp((double)sum[j], -exponent[j]) / N);
    assert_int_equal(
        pca_products(x, &u, p.mean, exponent, pca_shift(N), threads, product), STATUS_OK);
    assert_int_equal(pca_axes(&p, product, exponent, N), STATUS_OK);
    pca_units_destroy(&u);
    return p;
}

static void near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g and %.17g differ", a, b);
}

static void check_axes(const data *s, const pca *p) {
    double total = 0;
    for (int j = 0; j < D; j++) {
        near(p->mean[j], s->mean[j], 1e-6 * (1 + fabs(s->mean[j])));
        total += s->covariance[j][j];
    }
    near(p->variance_of_all, total, 1e-9 * total);
    for (int a = 0; a < p->components; a++) {
        const float *v = p->axis + a * D;
        int top = 0;
        for (int i = 0; i < D; i++) {
            double image_of_v = 0;
            for (int j = 0; j < D; j++) image_of_v += s->covariance[i][j] * v[j];
            near(image_of_v, p->variance[a] * v[i], 1e-6 * total);
            if (fabsf(v[i]) > fabsf(v[top])) top = i;
        }
        assert_true(v[top] > 0);
        if (a > 0) assert_true(p->variance[a] <= p->variance[a - 1]);
        for (int b = 0; b <= a; b++) {
            double product = 0;
            for (int j = 0; j < D; j++) product += (double)v[j] * p->axis[b * D + j];
            near(product, a == b, 1e-6);
        }
    }
}

static void axes(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        data s;
        int64_t product[D * D];
        make_data(&s, t ? DTYPE_BF16 : DTYPE_F32);
        for (int components = 1; components <= D; components += 5) {
            pca p = fit(&s.x, components, 1, product);
            check_axes(&s, &p);
            pca_destroy(&p);
        }
        memory_free(s.x.data);
    }
}

static void same_for_any_threads(void **state) {
    (void)state;
    data s;
    int64_t product[2][D * D];
    make_data(&s, DTYPE_F32);
    pca p = fit(&s.x, D, 1, product[0]);
    for (int threads = 2; threads <= 5; threads++) {
        pca q = fit(&s.x, D, threads, product[1]);
        assert_memory_equal(product[0], product[1], sizeof product[0]);
        assert_memory_equal(p.axis, q.axis, D * D * sizeof *p.axis);
        assert_memory_equal(p.variance, q.variance, D * sizeof *p.variance);
        pca_destroy(&q);
    }
    pca_destroy(&p);
    memory_free(s.x.data);
}

static void projection(void **state) {
    (void)state;
    data s;
    int64_t product[D * D];
    make_data(&s, DTYPE_F32);
    for (int components = 3; components <= D; components += 18) {
        size_t n = (size_t)components;
        pca p = fit(&s.x, components, 1, product);
        float *y = memory_alloc(N * n, 2 * sizeof *y, "projected"), *other = y + N * n;
        assert_int_equal(pca_project(&p, &s.x, 1, y), STATUS_OK);
        assert_int_equal(pca_project(&p, &s.x, 3, other), STATUS_OK);
        assert_memory_equal(y, other, N * n * sizeof *y);
        for (size_t i = 0; i < N; i++)
            for (size_t a = 0; a < n; a++) {
                const float *row = (const float *)s.x.data + i * D;
                double sum = 0;
                for (size_t j = 0; j < D; j++)
                    sum += (double)(row[j] - p.mean[j]) * (double)p.axis[a * D + j];
                assert_true(y[i * n + a] == (float)sum);
            }
        memory_free(y);
        pca_destroy(&p);
    }
    memory_free(s.x.data);
}

/* All rows at the largest value: sums stay in range. */
static void no_overflow(void **state) {
    (void)state;
    enum { ROWS = 4096, COLUMNS = 2 };
    static float x[ROWS * COLUMNS];
    int rows = ROWS, one = 1;
    const features f = {
        .n = ROWS, .d = COLUMNS, .data = x, .images = 1, .height = &rows, .width = &one};
    const float mean[COLUMNS] = {-0x1p50f, 0x1p50f};
    double largest[COLUMNS] = {0};
    int exponent[COLUMNS];
    int64_t sum[COLUMNS] = {0}, product[COLUMNS * COLUMNS] = {0};
    pca_units u;
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = i % 2 ? -0x1p50f : 0x1p50f;
    assert_int_equal(pca_units_create(&u, &f), STATUS_OK);
    assert_int_equal(pca_largest(&f, largest), STATUS_OK);
    pca_exponents(largest, ROWS, COLUMNS, exponent);
    assert_int_equal(pca_sum(&f, &u, exponent, 1, sum), STATUS_OK);
    assert_true(ldexp((double)sum[0], -exponent[0]) == 0x1p62);
    assert_true(ldexp((double)sum[1], -exponent[1]) == -0x1p62);
    assert_int_equal(pca_products(&f, &u, mean, exponent, pca_shift(ROWS), 1, product), STATUS_OK);
    int scale = exponent[0] + exponent[1] + pca_shift(ROWS);
    assert_true(ldexp((double)product[1], -scale) == -0x1p114);
    pca_units_destroy(&u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes),
        cmocka_unit_test(same_for_any_threads),
        cmocka_unit_test(projection),
        cmocka_unit_test(no_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
