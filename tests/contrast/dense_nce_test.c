#include "src/contrast/dense_nce.h"

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

enum { N = 300, D = 260, CELLS = 60, C = 300 };

static float embedding[CELLS * D], key[CELLS * D], feature[CELLS * C], other[CELLS * C];
static float row[N * D], unit[CELLS * D], gradient[CELLS * D], back[CELLS * D];
static int32_t image[N], want[CELLS];
static int pixel[CELLS], match[CELLS];
static double expected[CELLS * D], lengths[CELLS];

static void read_all(FILE *f, void *to, size_t bytes) {
    assert_int_equal(fread(to, 1, bytes, f), bytes);
}

/* The mean over `cells` in tiles, and the gradient through the normalisation, of what is in the
 * arrays. */
static double loss_of(size_t n, size_t d, size_t cells, size_t channels, double tau) {
    const key_queue q = {n, (int)d, row, image};
    dense_negatives negatives;
    dense_work w;
    panels features;
    double loss = 0;
    assert_int_equal(dense_negatives_create(&negatives, &q), STATUS_OK);
    assert_int_equal(dense_work_create(&w, &negatives, cells, (int)channels), STATUS_OK);
    assert_int_equal(panels_create(&features, cells, (int)channels), STATUS_OK);
    for (size_t i = 0; i < cells; i++) panels_put(&features, i, other + i * channels);
    for (size_t i = 0; i < cells; i++) pixel[i] = (int)i;
    unit_rows r = {(int)cells, (int)d, pixel, unit, lengths};
    unit_rows_take(&r, embedding);
    for (size_t i = 0; i < cells; i += TILE_ROWS) {
        int count = cells - i < TILE_ROWS ? (int)(cells - i) : TILE_ROWS;
        dense_match(feature + i * channels, count, &features, &w, match + i);
        dense_queries x = {count, unit + i * d, key, match + i, 0};
        loss += dense_nce(&x, &negatives, tau, 1.0 / (double)cells, &w, gradient + i * d);
    }
    memset(back, 0, cells * d * sizeof *back);
    unit_rows_scatter(&r, gradient, back);
    panels_destroy(&features);
    dense_work_destroy(&w);
    dense_negatives_destroy(&negatives);
    return loss / (double)cells;
}

/* One case of the file: relative errors of the loss and of the gradient to the embeddings. */
static bool read_case(FILE *f, double *loss_error, double *error) {
    int32_t size[4];
    double number[2]; /* tau, loss */
    if (fread(size, sizeof size, 1, f) != 1) return false;
    size_t n = (size_t)size[0], d = (size_t)size[1], cells = (size_t)size[2], c = (size_t)size[3];
    assert_true(n <= N && d <= D && cells <= CELLS && c <= C);
    read_all(f, number, sizeof number);
    read_all(f, embedding, cells * d * sizeof *embedding);
    read_all(f, key, cells * d * sizeof *key);
    read_all(f, feature, cells * c * sizeof *feature);
    read_all(f, other, cells * c * sizeof *other);
    read_all(f, row, n * d * sizeof *row);
    read_all(f, image, n * sizeof *image);
    read_all(f, want, cells * sizeof *want);
    read_all(f, expected, cells * d * sizeof *expected);
    double loss = loss_of(n, d, cells, c, number[0]);
    assert_memory_equal(match, want, cells * sizeof *want);
    *loss_error = fabs(loss - number[1]) / number[1];
    *error = reference_error(back, expected, cells * d);
    return true;
}

static void agrees_with_pytorch(void **state) {
    (void)state;
    const char *given = getenv("AUXSEG_DENSE_NCE"); /* tests/pytorch/compare_dense_nce.py */
    FILE *f = fopen(given ? given : AUXSEG_TESTS "/fixtures/dense_nce.bin", "rb");
    assert_non_null(f);
    int cases = 0;
    for (double loss, error; read_case(f, &loss, &error); cases++)
        if (!(loss <= 1e-5 && error <= 1e-5))
            fail_msg("case %d: loss off by %.2g, gradient by %.2g", cases, loss, error);
    fclose(f);
    assert_int_equal(cases, 4);
}

/* A similarity of 1 over a temperature of 0.001 is e^1000; all negatives of the own image are no
 * negatives. */
static void nothing_overflows(void **state) {
    (void)state;
    const float plain[] = {1, 0, 0, 1};
    memcpy(row, plain, sizeof plain);
    memcpy(embedding, plain, 2 * sizeof *plain);
    memcpy(key, plain, 2 * sizeof *plain);
    feature[0] = other[0] = 1;
    image[0] = image[1] = -1;
    assert_true(fabs(loss_of(2, 2, 1, 1, 0.001) - log(2)) < 1e-6);
    assert_true(fabs((double)gradient[0]) < 1e-6 && fabs((double)gradient[1]) < 1e-6);
    memcpy(key, plain + 2, 2 * sizeof *plain);
    assert_true(fabs(loss_of(2, 2, 1, 1, 0.001) - 1000) < 1e-3);
    assert_true(fabs((double)gradient[0] - 1000) < 1e-3);
    assert_true(fabs((double)gradient[1] + 1000) < 1e-3);
    image[0] = image[1] = 0;
    assert_true(fabs(loss_of(2, 2, 1, 1, 0.001)) < 1e-30 && fabs((double)gradient[0]) < 1e-30);
}

/* A row that is put into the queue is the one that counts, in both copies. */
static void queue_is_followed(void **state) {
    (void)state;
    float rows[] = {1, 0, 0, 1}, query[] = {1, 0}, g[2];
    const float key_row[] = {0, 1};
    int32_t none[] = {-1, -1};
    const int first = 0;
    const key_queue q = {2, 2, rows, none};
    dense_negatives negatives, anew;
    dense_work w;
    assert_int_equal(dense_negatives_create(&negatives, &q), STATUS_OK);
    assert_int_equal(dense_work_create(&w, &negatives, 1, 1), STATUS_OK);
    const dense_queries x = {1, query, key_row, &first, 3};
    double before = dense_nce(&x, &negatives, 0.2, 1, &w, g);
    rows[2] = -1;
    rows[3] = 0;
    dense_negatives_update(&negatives, 1);
    float follows[2];
    double after = dense_nce(&x, &negatives, 0.2, 1, &w, follows);
    assert_int_equal(dense_negatives_create(&anew, &q), STATUS_OK);
    assert_true(dense_nce(&x, &anew, 0.2, 1, &w, g) == after && after < before);
    assert_memory_equal(g, follows, sizeof g);
    dense_work_destroy(&w);
    dense_negatives_destroy(&negatives);
    dense_negatives_destroy(&anew);
}

/* (3, 0) and (1, 4): the mean of their directions would be another one. */
static void pooled_is_the_direction_of_the_mean(void **state) {
    (void)state;
    const float embeddings[] = {3, 0, 1, 4};
    double sums[2];
    float pooled[2];
    dense_pool(embeddings, 2, 2, sums, pooled);
    assert_true(pooled[0] == (float)sqrt(0.5) && pooled[1] == pooled[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch),
        cmocka_unit_test(nothing_overflows), cmocka_unit_test(queue_is_followed),
        cmocka_unit_test(pooled_is_the_direction_of_the_mean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
