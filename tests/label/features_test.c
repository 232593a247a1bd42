/* Rows that lie in a mapped file: what a loop over them keeps in memory. */
#include "src/label/kmeans.h"

#include "src/base/memory.h"
#include "tests/base/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { N = 200000, D = 64, STEP = 150, SMALL = 28 }; /* 49 MiB; SMALL: MiB */

/* MiB of files that are mapped and in memory. */
static double shared(void) {
    long pages = 0, whole;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    int n = fscanf(f, "%ld %*d %ld", &whole, &pages);
    fclose(f);
    return n == 2 ? (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20) : 0;
}

static float element(size_t i) {
    return (float)(i % 1021);
}

/* The rows begin somewhere within a page. */
static features map_file(void **mapping, size_t *bytes) {
    enum { BEGIN = 1040 };
    char name[] = "/tmp/auxseg-test-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    FILE *f = fdopen(fd, "w+");
    float row[D];
    fseek(f, BEGIN, SEEK_SET);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++) row[j] = element(i * D + j);
        assert_int_equal(fwrite(row, sizeof row, 1, f), 1);
    }
    fflush(f);
    *bytes = BEGIN + (size_t)N * D * sizeof(float);
    *mapping = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(*mapping != MAP_FAILED);
    fclose(f);
    return (features){.n = N, .d = D, .data = (char *)*mapping + BEGIN, .mapped = true};
}

/* Reads every `step`-th row; the most that was in memory. */
static double read_rows(const features *x, size_t step, bool pass) {
    double most = 0;
    for (size_t i = 0; i < x->n; i += step) {
        const float *row = features_row(x, i, NULL);
        for (size_t j = 0; j < D; j++) assert_true(row[j] == element(i * D + j));
        if (pass) features_passed(x, i, step < x->n - i ? step : x->n - i);
        if (i / step % 64 != 0) continue;
        double now = shared();
        most = now > most ? now : most;
    }
    return most;
}

static void memory_stays_bounded(void **state) {
    (void)state;
    void *mapping;
    size_t bytes;
    features x = map_file(&mapping, &bytes);
    double before = shared();
    if (read_rows(&x, 1, false) < before + 40) skip(); /* no such figures here */
    features_release(&x, 0, x.n);
    assert_true(shared() < before + 2);
    assert_true(read_rows(&x, 1, true) < before + SMALL);
    features_release(&x, 0, x.n);
    assert_true(read_rows(&x, STEP, true) < before + SMALL);
    features_release(&x, 0, x.n);
    assert_true(shared() < before + 2);
    /* One row, and what came with it; others come back as they were. */
    features_row(&x, N / 2, NULL);
    features_release(&x, N / 2, 1);
    features_release(&x, N - 1, 1);
    features_release(&x, 0, 0);
    read_rows(&x, 1, false);
    munmap(mapping, bytes);
}

static void what_is_not_finite_is_named(void **state) {
    (void)state;
    int height[] = {2, 0, 3}, width[] = {5, 7, 4}; /* 10, 0 and 12 rows */
    float x[22 * 3] = {[2] = -6};
    features rows = {.n = 22, .d = 3, .data = x, .first = 40, .images = 3};
    rows.height = height;
    rows.width = width;
    double largest;
    capture said;
    assert_int_equal(features_check(&rows, 2, &largest, NULL), STATUS_OK);
    assert_true(largest == 6);
    x[(10 + 7) * 3 + 1] = 0x1.8p50f;
    x[(10 + 9) * 3] = NAN;
    capture_begin(&said, STDERR_FILENO);
    assert_int_equal(features_check(&rows, 2, &largest, NULL), STATUS_NONFINITE);
    capture_end(&said);
    assert_non_null(strstr(said.text, "image 42, pixel 7: "));
}

static void parts_and_copies(void **state) {
    (void)state;
    uint16_t half[] = {0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0}; /* 1 .. 6 */
    features x = {.n = 3, .d = 2, .type = DTYPE_BF16, .data = half};
    features last = features_part(&x, 1, 2);
    float row[2];
    assert_true(last.n == 2 && last.d == 2 && last.images == 0);
    features_copy_row(&last, 1, row);
    assert_true(row[0] == 5 && row[1] == 6);
    float whole[] = {1, 2, 3, 4};
    x = (features){.n = 2, .d = 2, .data = whole};
    features_copy_row(&x, 1, row);
    assert_true(row[0] == 3 && row[1] == 4);
    assert_ptr_equal(features_row(&x, 1, row), whole + 2);
}

static void labels_are_those_of_rows_in_memory(void **state) {
    (void)state;
    enum { K = 20, THREADS = 3 };
    void *mapping;
    size_t bytes;
    features x = map_file(&mapping, &bytes), held = x;
    uint16_t *label = memory_alloc(2 * N, sizeof *label, "test");
    float *distance = memory_alloc(2 * N, sizeof *distance, "test");
    float *c = memory_alloc(K * D, sizeof *c, "test");
    kmeans_counts counts;
    held.mapped = false;
    memset(label, 0xFF, 2 * N * sizeof *label);
    for (size_t i = 0; i < K * D; i++) c[i] = element(i * 37);
    double before = shared();
    assert_int_equal(kmeans_assign(&x, c, K, THREADS, label, distance, &counts), STATUS_OK);
    assert_true(shared() < before + 2);
    assert_int_equal(
        kmeans_assign(&held, c, K, THREADS, label + N, distance + N, &counts), STATUS_OK);
    assert_memory_equal(label, label + N, N * sizeof *label);
    assert_memory_equal(distance, distance + N, N * sizeof *distance);
    memory_free(label);
    memory_free(distance);
    memory_free(c);
    munmap(mapping, bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_stays_bounded),
        cmocka_unit_test(what_is_not_finite_is_named),
        cmocka_unit_test(parts_and_copies),
        cmocka_unit_test(labels_are_those_of_rows_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
