#include "src/contrast/info_nce.h"

#include "src/base/unit_length.h"
#include "src/contrast/unit_rows.h"
#include "tests/contrast/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N = 500, D = 40 };

static float embedding[D], key[D], row[N * D], gradient[D], back[D];
static int32_t image[N];
static double expected[D], term[N], sum[D];

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

/* One case of the file: relative errors of the loss and of the gradient to the embedding. */
static bool read_case(FILE *f, double *loss_error, double *error) {
    int32_t size[3];
    double number[2], scale; /* tau, loss */
    float query[D];
    int pixel = 0;
    if (fread(size, sizeof size, 1, f) != 1) return false;
    size_t n = (size_t)size[0], d = (size_t)size[1];
    assert_true(n <= N && d <= D);
    read_all(f, number, sizeof number);
    read_all(f, embedding, d * sizeof *embedding);
    read_all(f, key, d * sizeof *key);
    read_all(f, row, n * d * sizeof *row);
    read_all(f, image, n * sizeof *image);
    read_all(f, expected, d * sizeof *expected);
    const key_queue q = {n, size[1], row, image};
    unit_rows r = {1, size[1], &pixel, query, &scale};
    unit_rows_take(&r, embedding);
    double loss =
        info_nce(&(info_nce_query){query, key, size[2]}, &q, number[0], 1, term, sum, gradient);
    memset(back, 0, sizeof back);
    unit_rows_scatter(&r, gradient, back);
    *loss_error = fabs(loss - number[1]) / number[1];
    *error = reference_error(back, expected, d);
    return true;
}

static void agrees_with_pytorch(void **state) {
    (void)state;
    const char *other = getenv("AUXSEG_INFO_NCE"); /* tests/pytorch/compare_info_nce.py */
    FILE *f = fopen(other ? other : AUXSEG_TESTS "/fixtures/info_nce.bin", "rb");
    assert_non_null(f);
    int cases = 0;
    for (double loss, error; read_case(f, &loss, &error); cases++)
        if (!(loss <= 1e-5 && error <= 1e-5))
            fail_msg("case %d: loss off by %.2g, gradient by %.2g", cases, loss, error);
    fclose(f);
    assert_int_equal(cases, 4);
}

/* A similarity of 1 over a temperature of 0.001 is e^1000. */
static void nothing_overflows(void **state) {
    (void)state;
    float negative[] = {1, 0, 0, 1}, own[] = {1, 0};
    int32_t none[] = {-1, -1};
    const key_queue q = {2, 2, negative, none};
    double loss = info_nce(&(info_nce_query){own, own, 3}, &q, 0.001, 1, term, sum, gradient);
    assert_true(fabs(loss - log(2)) < 1e-12);
    assert_true(fabs((double)gradient[0]) < 1e-6 && fabs((double)gradient[1]) < 1e-6);
    float far[] = {0, 1};
    loss = info_nce(&(info_nce_query){own, far, 3}, &q, 0.001, 1, term, sum, gradient);
    assert_true(fabs(loss - 1000) < 1e-9);
    assert_true(fabs((double)gradient[0] - 1000) < 1e-3);
}

static void own_image_is_no_negative(void **state) {
    (void)state;
    float negative[] = {1, 0, 0, 1}, own[] = {1, 0};
    int32_t images[] = {5, 5};
    const key_queue q = {2, 2, negative, images};
    double loss = info_nce(&(info_nce_query){own, own, 5}, &q, 0.2, 1, term, sum, gradient);
    assert_true(loss == 0 && gradient[0] == 0 && gradient[1] == 0);
    loss = info_nce(&(info_nce_query){own, own, 4}, &q, 0.2, 1, term, sum, gradient);
    assert_true(loss > 0.5);
}

/* Rows of length 1 and of no image, others for another seed or number; then a ring. */
static void queue_is_a_ring(void **state) {
    (void)state;
    key_queue q, other, second;
    float put[3 * 2] = {1, 0, 0, 1, -1, 0};
    const int32_t of[] = {7, 8, 9};
    assert_int_equal(key_queue_create(&q, 5, 2, 1, 0), STATUS_OK);
    assert_int_equal(key_queue_create(&other, 5, 2, 2, 0), STATUS_OK);
    assert_int_equal(key_queue_create(&second, 5, 2, 1, 1), STATUS_OK);
    assert_memory_not_equal(q.key, other.key, 10 * sizeof *q.key);
    assert_memory_not_equal(q.key, second.key, 10 * sizeof *q.key);
    for (int i = 0; i < 5; i++) {
        assert_true(unit_length_is(q.key + 2 * i, 2, UNIT_LENGTH_F32));
        assert_int_equal(q.image[i], -1);
    }
    key_queue_put(&q, 0, put, of, 3);
    key_queue_put(&q, 3, put, of, 3);
    const int32_t want[] = {9, 8, 9, 7, 8};
    assert_memory_equal(q.image, want, sizeof want);
    assert_memory_equal(q.key, put + 4, 2 * sizeof *put);
    assert_memory_equal(q.key + 6, put, 4 * sizeof *put);
    key_queue_destroy(&q);
    key_queue_destroy(&other);
    key_queue_destroy(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(nothing_overflows), cmocka_unit_test(own_image_is_no_negative),
        cmocka_unit_test(queue_is_a_ring)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
