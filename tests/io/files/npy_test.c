#include "io/files/npy.h"
#include "src/base/memory.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state) {
    static scratch s;
    scratch_create(&s);
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    scratch_destroy(*state);
    return 0;
}

/* A file as other programs may write it: version, header text, data. */
static const char *written(
    scratch *s, int version, const char *text, const void *data, size_t bytes) {
    unsigned char file[512] = "\x93NUMPY";
    size_t n = strlen(text), at = version > 1 ? 12 : 10;
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)n;
    memcpy(file + at, text, n);
    memcpy(file + at + n, data, bytes);
    scratch_write(scratch_path(s, "x.npy"), file, at + n + bytes);
    return s->path;
}

static void round_trip(void **state) {
    scratch *s = *state;
    const float x[6] = {1, -2.5f, 3e38f, 0, 1e-40f, 6};
    const uint16_t label[3] = {0, 65535, 7};
    float *data;
    int32_t *labels;
    size_t rows, columns;
    const char *path = scratch_path(s, "a.npy");
    assert_int_equal(npy_write(path, "<f4", x, 3, 2), STATUS_OK);
    assert_int_equal(npy_read_f32(path, &data, &rows, &columns), STATUS_OK);
    assert_int_equal(rows, 3);
    assert_int_equal(columns, 2);
    assert_memory_equal(data, x, sizeof x);
    memory_free(data);
    assert_int_equal(npy_write(path, "<f4", x, 6, 0), STATUS_OK);
    assert_int_equal(npy_read_f32(path, &data, &rows, &columns), STATUS_OK);
    assert_int_equal(rows, 6);
    assert_int_equal(columns, 1);
    memory_free(data);
    assert_int_equal(npy_write(path, "<u2", label, 3, 0), STATUS_OK);
    assert_int_equal(npy_read_i32(path, &labels, &rows), STATUS_OK);
    assert_int_equal(rows, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(labels[i], label[i]);
    memory_free(labels);
}

/* The bytes that numpy 2 writes for numpy.zeros((3, 2), "f4"). */
static void header_is_numpys(void **state) {
    (void)state;
    char header[NPY_HEADER];
    const char expected[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
                            "'shape': (3, 2), }";
    assert_int_equal(npy_header(header, "<f4", 3, 2), 128);
    assert_memory_equal(header, expected, sizeof expected - 1);
    for (size_t i = sizeof expected - 1; i < 127; i++) assert_int_equal(header[i], ' ');
    assert_int_equal(header[127], '\n');
    assert_int_equal(npy_header(header, "<f4", SIZE_MAX, SIZE_MAX) % 64, 0);
}

static void other_writers(void **state) {
    scratch *s = *state;
    const float x[4] = {1, 2, 3, 4};
    const int64_t y[2] = {-5, 2147483647};
    static const char *const header[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }   \n",
        "{'shape':(2,2),'fortran_order':False,'descr':'<f4'}\n",
        "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 2,)}",
    };
    for (int version = 1; version <= 3; version++)
        for (int i = 0; i < 3; i++) {
            float *data;
            size_t rows, columns;
            const char *path = written(s, version, header[i], x, sizeof x);
            assert_int_equal(npy_read_f32(path, &data, &rows, &columns), STATUS_OK);
            assert_int_equal(rows, 2);
            assert_int_equal(columns, 2);
            assert_memory_equal(data, x, sizeof x);
            memory_free(data);
        }
    int32_t *label;
    size_t n;
    const char *path =
        written(s, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", y, sizeof y);
    assert_int_equal(npy_read_i32(path, &label, &n), STATUS_OK);
    assert_int_equal(label[0], -5);
    assert_int_equal(label[1], 2147483647);
    memory_free(label);
}

static void refused(void **state) {
    scratch *s = *state;
    const float x[4] = {1, 2, 3, 4};
    static const struct {
        int version;
        const char *header;
    } bad[] = {
        {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }"},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2), }"},
        {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 1), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387908, 1), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967297), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }"},
        {1, "{'descr': '<f4', 'fortran_order': False, }"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'more': 1}"},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)"},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"},
        {1, "{'descr': '<f4"},
        {1, ""},
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"},
    };
    float *data = (float *)(void *)s;
    size_t rows = 77, columns = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *path = written(s, bad[i].version, bad[i].header, x, sizeof x);
        if (npy_read_f32(path, &data, &rows, &columns) != STATUS_DATA)
            fail_msg("not refused: %s", bad[i].header);
    }
    assert_int_equal(npy_read_f32(scratch_path(s, "absent"), &data, &rows, &columns), STATUS_DATA);
    for (size_t n = 0; n < 20; n++) {
        scratch_write(scratch_path(s, "short"), "\x93NUMPY\x01\x00v\x00{'descr': '", n);
        assert_int_equal(npy_read_f32(s->path, &data, &rows, &columns), STATUS_DATA);
    }
    assert_ptr_equal(data, s); /* untouched */
    assert_int_equal(rows, 77);
    assert_int_equal(columns, 77);
}

static void labels_refused(void **state) {
    scratch *s = *state;
    const int64_t y[2] = {0, 2147483648};
    int32_t *label = (int32_t *)(void *)s;
    size_t n = 77;
    assert_int_equal(
        npy_read_i32(
            written(s, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", y, sizeof y),
            &label, &n),
        STATUS_DATA);
    assert_int_equal(
        npy_read_i32(
            written(s, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", y, sizeof y),
            &label, &n),
        STATUS_DATA);
    assert_int_equal(
        npy_read_i32(written(s, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 1), }", y,
                         sizeof y),
            &label, &n),
        STATUS_DATA);
    assert_ptr_equal(label, s);
    assert_int_equal(n, 77);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(header_is_numpys),
        cmocka_unit_test(other_writers),
        cmocka_unit_test(refused),
        cmocka_unit_test(labels_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
