/* What a ring holds after each step: nothing at first, then the newest rows of its label, of a step
 * with more rows than places some that are spread over all; the same whoever fills which rings. */
#include "src/contrast/pixel_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LABELS = 3, EACH = 4, D = 2, ROWS = LABELS * EACH, MOST = 32 };

static float z[MOST * D];
static int32_t label[MOST], image[MOST];
static int rows_so_far;

static pixel_queue create(void) {
    pixel_queue q = {.labels = LABELS, .each = EACH, .d = D};
    size_t bytes = pixel_queue_place(&q, NULL);
    assert_int_equal(pixel_queue_rows(&q), ROWS);
    pixel_queue_place(&q, aligned_alloc(64, bytes));
    memset(q.z, 0xff, bytes); /* what the memory has held does not count */
    pixel_queue_clear(&q);
    return q;
}

/* n rows whose image is how many rows there have been, their embedding too. */
static contrast_pool step(const int32_t *labels, size_t n) {
    for (size_t i = 0; i < n; i++) {
        label[i] = labels[i];
        image[i] = rows_so_far;
        z[i * D] = (float)rows_so_far++;
        z[i * D + 1] = -1;
    }
    return (contrast_pool){n, D, z, label, image, NULL};
}

/* Places of a ring, in any order: sorted. */
static int ascending(const void *a, const void *b) {
    return *(const int32_t *)a - *(const int32_t *)b;
}

static void check_ring(const pixel_queue *q, int l, const int32_t *want) {
    float rows[ROWS * D];
    int32_t labels[ROWS], images[ROWS], partners[ROWS];
    const queue_rows to = {rows, labels, images, partners};
    for (int part = 0; part < 3; part++) pixel_queue_list(q, &to, part, 3);
    for (int i = l * EACH; i < (l + 1) * EACH; i++) {
        assert_int_equal(labels[i], images[i] < 0 ? -1 : l);
        assert_int_equal(partners[i], -1);
        if (images[i] >= 0) assert_true(rows[i * D] == (float)images[i] && rows[i * D + 1] == -1);
    }
    qsort(images + l * EACH, EACH, sizeof *images, ascending);
    for (int i = 0; i < EACH; i++) assert_int_equal(images[l * EACH + i], want[i]);
}

static void holds_the_newest(void **state) {
    (void)state;
    pixel_queue q = create();
    rows_so_far = 0;
    static const int32_t none[] = {-1, -1, -1, -1};
    for (int l = 0; l < LABELS; l++) check_ring(&q, l, none);
    contrast_pool p = step((int32_t[]){0, -1, 2, 0, 0}, 5);
    pixel_queue_put(&q, &p, 0, 1);
    check_ring(&q, 0, (int32_t[]){-1, 0, 3, 4});
    check_ring(&q, 1, none);
    check_ring(&q, 2, (int32_t[]){-1, -1, -1, 2});
    p = step((int32_t[]){2, 0, 0}, 3); /* over the end of ring 0 */
    pixel_queue_put(&q, &p, 0, 1);
    check_ring(&q, 0, (int32_t[]){3, 4, 6, 7});
    check_ring(&q, 2, (int32_t[]){-1, -1, 2, 5});
    p = step((int32_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 10); /* nine rows for four places */
    pixel_queue_put(&q, &p, 0, 1);
    check_ring(&q, 1, (int32_t[]){10, 12, 14, 16});
    check_ring(&q, 0, (int32_t[]){4, 6, 7, 17});
    free(q.z);
}

static void parts_are_the_whole(void **state) {
    (void)state;
    pixel_queue whole = create(), parts = create();
    rows_so_far = 0;
    for (int k = 0; k < 5; k++) {
        int32_t labels[MOST];
        for (int i = 0; i < MOST; i++) labels[i] = (i * 7 + k * i * i) % (LABELS + 1) - 1;
        contrast_pool p = step(labels, (size_t)(MOST - k * 5));
        pixel_queue_put(&whole, &p, 0, 1);
        for (int part = 4; part >= 0; part--) pixel_queue_put(&parts, &p, part, 5);
        assert_memory_equal(whole.z, parts.z, ROWS * D * sizeof *whole.z);
        assert_memory_equal(whole.image, parts.image, ROWS * sizeof *whole.image);
        assert_memory_equal(whole.next, parts.next, LABELS * sizeof *whole.next);
    }
    free(whole.z);
    free(parts.z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_newest),
        cmocka_unit_test(parts_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
