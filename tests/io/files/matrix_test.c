/* Rows come back as they were written, from each format, any part of them; what a file says and is
 * not is refused. */
#include "io/files/matrix.h"
#include "io/files/npy.h"
#include "src/base/float16.h"
#include "src/base/memory.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

enum { ROWS = 7, D = 3, COUNT = ROWS * D };

static scratch folder;

/* Element i of the matrix, as a byte. */
static int value(int i, bool negative) {
    return (i * 37 + 11) % 256 - (negative ? 128 : 0);
}

/* Writes `head`, then each row, with its D before it if `counted`; elements of `size` bytes. */
static const char *write_file(
    const char *name, const void *head, size_t bytes, bool counted, size_t size, bool negative) {
    const char *path = scratch_path(&folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (bytes > 0) fwrite(head, 1, bytes, f);
    for (int i = 0; i < COUNT; i++) {
        int32_t d = D;
        float real = (float)value(i, negative);
        signed char byte = (signed char)value(i, negative);
        if (counted && i % D == 0) fwrite(&d, sizeof d, 1, f);
        fwrite(size == 4 ? (void *)&real : (void *)&byte, size, 1, f);
    }
    fclose(f);
    return path;
}

static void expect_rows(const char *path, bool negative) {
    matrix_info m;
    assert_int_equal(matrix_about(path, &m), STATUS_OK);
    assert_int_equal(m.rows, ROWS);
    assert_int_equal(m.d, D);
    for (int first = 0; first <= ROWS; first++) {
        float to[COUNT + 1] = {0};
        to[(ROWS - first) * D] = 0.5F; /* not written */
        assert_int_equal(matrix_read(path, &m, first, ROWS - first, to), STATUS_OK);
        for (int i = first * D; i < COUNT; i++)
            assert_true(to[i - first * D] == (float)value(i, negative));
        assert_true(to[(ROWS - first) * D] == 0.5F);
    }
}

static void every_format(void **state) {
    (void)state;
    const uint32_t shape[] = {ROWS, D};
    char header[NPY_HEADER];
    size_t n = npy_header(header, "<f4", ROWS, D);
    expect_rows(write_file("a.npy", header, n, false, 4, false), false);
    n = npy_header(header, "|u1", ROWS, D);
    expect_rows(write_file("b.npy", header, n, false, 1, false), false);
    n = npy_header(header, "|i1", ROWS, D);
    expect_rows(write_file("c.npy", header, n, false, 1, true), true);
    expect_rows(write_file("a.fvecs", NULL, 0, true, 4, false), false);
    expect_rows(write_file("a.bvecs", NULL, 0, true, 1, false), false);
    expect_rows(write_file("a.fbin", shape, sizeof shape, false, 4, false), false);
    expect_rows(write_file("a.u8bin", shape, sizeof shape, false, 1, false), false);
    expect_rows(write_file("a.i8bin", shape, sizeof shape, false, 1, true), true);
}

static void mapped(void **state) {
    (void)state;
    const uint32_t shape[] = {ROWS, D};
    const char *path = write_file("m.fbin", shape, sizeof shape, false, 4, false);
    matrix_info m;
    void *mapping;
    size_t bytes;
    float *rows;
    assert_int_equal(matrix_about(path, &m), STATUS_OK);
    assert_true(matrix_plain(&m));
    assert_int_equal(matrix_map(path, &m, 2, 4, &mapping, &bytes, &rows), STATUS_OK);
    for (int i = 0; i < 4 * D; i++) assert_true(rows[i] == (float)value(2 * D + i, false));
    munmap(mapping, bytes);
    path = write_file("m.fvecs", NULL, 0, true, 4, false);
    assert_int_equal(matrix_about(path, &m), STATUS_OK);
    assert_false(matrix_plain(&m));
}

static void refuse(const char *path, const char *why) {
    matrix_info m;
    capture c;
    capture_begin(&c, STDERR_FILENO);
    status st = matrix_about(path, &m);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, why));
}

static void what_is_no_matrix(void **state) {
    (void)state;
    const uint32_t long_one[] = {ROWS + 1, D}, huge[] = {UINT32_MAX, UINT32_MAX}, none[] = {0, D};
    char header[NPY_HEADER];
    refuse(write_file("a.bin", NULL, 0, false, 4, false), "must end with");
    refuse(write_file("l.fbin", long_one, sizeof long_one, false, 4, false), "8 x 3 elements");
    refuse(write_file("h.u8bin", huge, sizeof huge, false, 1, false), "damaged");
    refuse(write_file("d.npy", header, npy_header(header, "<f8", ROWS, D / 2), false, 4, false),
        "\"<f8\"");
    refuse(write_file("o.npy", header, npy_header(header, "<f4", COUNT, 0), false, 4, false),
        "two dimensions");
    refuse(write_file("v.fvecs", "\0\0\0\0", 4, false, 4, false), "no elements");
    refuse(write_file("w.bvecs", "x", 1, true, 1, false), "damaged");
    const char *path = scratch_path(&folder, "n.fbin");
    scratch_write(path, none, sizeof none);
    refuse(path, "no rows");
    scratch_write(path, none, 5);
    refuse(path, "too short");
}

/* A row of another length in the middle is found when it is read. */
static void a_row_of_another_length(void **state) {
    (void)state;
    const char *path = write_file("r.fvecs", NULL, 0, true, 4, false);
    matrix_info m;
    float to[COUNT];
    capture c;
    FILE *f = fopen(path, "r+b");
    fseek(f, 4 * (4 + 4 * D), SEEK_SET);
    fwrite(&(int32_t){D + 1}, 4, 1, f);
    fclose(f);
    assert_int_equal(matrix_about(path, &m), STATUS_OK);
    capture_begin(&c, STDERR_FILENO);
    status st = matrix_read(path, &m, 1, ROWS - 1, to);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, "row 4 has 4 elements"));
}

/* By the definition of binary16. */
static void every_float16(void **state) {
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        int exponent = (int)(h >> 10 & 31u), fraction = (int)(h & 1023u);
        double want = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        float have = float16_to_float((uint16_t)h);
        assert_true(!!signbit(have) == (h >> 15 == 1));
        if (exponent == 31)
            assert_true(fraction ? isnan(have) : isinf(have));
        else
            assert_true(fabs((double)have) == want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format),
        cmocka_unit_test(mapped),
        cmocka_unit_test(what_is_no_matrix),
        cmocka_unit_test(a_row_of_another_length),
        cmocka_unit_test(every_float16),
    };
    scratch_create(&folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_destroy(&folder);
    return failed;
}
