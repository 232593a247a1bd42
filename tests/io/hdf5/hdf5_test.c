#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_library.h"

#include "src/base/memory.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static scratch folder;

enum { ROWS = 6, COLUMNS = 4 };

/* A value of `count` elements of a type; count 0: a scalar. */
static void put_attribute(hid_t file, const char *name, hid_t type, hsize_t count, const void *x) {
    hid_t space = count ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, type, x) >= 0);
    H5Aclose(a);
    H5Sclose(space);
}

static hid_t text_type(size_t length) {
    hid_t t = H5Tcopy(H5T_C_S1);
    assert_true(t >= 0 && H5Tset_size(t, length) >= 0);
    return t;
}

static void put_attributes(hid_t file) {
    static uint64_t many[4096];
    static char text[64][64];
    const int32_t small = -7, turned = (int32_t)__builtin_bswap32((uint32_t)small);
    const int64_t wide = 7, wider = (int64_t)1 << 40;
    const uint64_t largest = UINT64_MAX;
    const double real = 1.5;
    hid_t t = text_type(64), named = H5Tcopy(H5T_NATIVE_INT);
    memset(text, 'x', sizeof text);
    put_attribute(file, "small", H5T_STD_I32BE, 0, &turned);
    put_attribute(file, "wide", H5T_NATIVE_INT64, 1, &wide);
    put_attribute(file, "wider", H5T_NATIVE_INT64, 0, &wider);
    put_attribute(file, "largest", H5T_NATIVE_UINT64, 0, &largest);
    put_attribute(file, "many", H5T_NATIVE_UINT64, 4096, many);
    put_attribute(file, "real", H5T_NATIVE_DOUBLE, 0, &real);
    put_attribute(file, "text", t, 0, text);
    put_attribute(file, "texts", t, 64, text);
    assert_true(H5Tcommit2(file, "/type", named, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    put_attribute(file, "named", named, 0, &small);
    H5Tclose(named);
    H5Tclose(t);
}

/* An array by a creation property list; what it holds does not matter. */
static void put_array(hid_t file, const char *name, hid_t type, int dims, hsize_t rows, hid_t how) {
    const hsize_t shape[3] = {rows, COLUMNS, 2};
    hid_t space = H5Screate_simple(dims, shape, NULL);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static hid_t plain(void) {
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY) >= 0);
    return how;
}

static void put_arrays(hid_t file) {
    const hsize_t chunk[2] = {2, 2};
    hid_t how = plain(), late = H5Pcreate(H5P_DATASET_CREATE), t = text_type(5);
    hid_t chunked = H5Pcreate(H5P_DATASET_CREATE), packed = H5Pcreate(H5P_DATASET_CREATE);
    hid_t outside = H5Pcreate(H5P_DATASET_CREATE), odd = H5Tcopy(H5T_NATIVE_UINT16);
    assert_true(H5Pset_chunk(chunked, 2, chunk) >= 0);
    assert_true(H5Pset_chunk(packed, 2, chunk) >= 0 && H5Pset_shuffle(packed) >= 0);
    assert_true(H5Pset_external(outside, "/etc/passwd", 0, ROWS * COLUMNS * 2) >= 0);
    assert_true(H5Tset_precision(odd, 11) >= 0);
    put_array(file, "good", H5T_NATIVE_UINT16, 2, ROWS, how);
    put_array(file, "other order", H5T_STD_U16BE, 2, ROWS, how);
    put_array(file, "signed", H5T_NATIVE_INT16, 2, ROWS, how);
    put_array(file, "wide", H5T_NATIVE_UINT32, 2, ROWS, how);
    put_array(file, "real", H5T_NATIVE_FLOAT, 2, ROWS, how);
    put_array(file, "odd", odd, 2, ROWS, how);
    put_array(file, "deep", H5T_NATIVE_UINT16, 3, ROWS, how);
    put_array(file, "texts", t, 1, ROWS, how);
    put_array(file, "text table", t, 2, ROWS, how);
    /* 11 KB that ask for 21 GB: nothing is stored of them. */
    put_array(file, "huge", H5T_NATIVE_UINT16, 1, (hsize_t)10 << 30, late);
    put_array(file, "huge texts", t, 1, (hsize_t)1 << 32, late);
    put_array(file, "chunked", H5T_NATIVE_UINT16, 2, (hsize_t)1 << 40, chunked);
    put_array(file, "filtered", H5T_NATIVE_UINT16, 2, ROWS, packed);
    put_array(file, "outside", H5T_NATIVE_UINT16, 2, ROWS, outside);
    H5Pclose(how), H5Pclose(late), H5Pclose(chunked), H5Pclose(packed), H5Pclose(outside);
    H5Tclose(t), H5Tclose(odd);
}

static void put_others(hid_t file) {
    const hsize_t shape[2] = {ROWS, COLUMNS};
    hid_t space = H5Screate_simple(2, shape, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t type = H5Topen2(file, "/type", H5P_DEFAULT), null = H5Screate(H5S_NULL);
    assert_true(H5Pset_virtual(how, space, "other.h5", "/good", space) >= 0);
    put_array(file, "virtual", H5T_NATIVE_UINT16, 2, ROWS, how);
    put_array(file, "named", type, 2, ROWS, H5P_DEFAULT);
    hid_t set =
        H5Dcreate2(file, "null", H5T_NATIVE_UINT16, null, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set);
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    assert_true(H5Lcreate_soft("/good", file, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(
        H5Lcreate_external("other.h5", "/", file, "external", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Sclose(space), H5Sclose(null), H5Pclose(how), H5Tclose(type);
}

static hid_t open_file(void) {
    static char path[256];
    hid_t file;
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "odd.h5"));
    hdf5_begin();
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    put_attributes(file);
    put_arrays(file);
    put_others(file);
    H5Fclose(file);
    assert_int_equal(hdf5_open(&file, path), STATUS_OK);
    return file;
}

static void numbers_are_single_and_fit(void **state) {
    (void)state;
    hid_t file = open_file();
    struct {
        int32_t small;
        uint8_t after[64];
    } v = {0};
    uint64_t natural = 0;
    int64_t wide = 0;
    double real = 0;
    static const char *const refused[] = {
        "many", "wider", "largest", "real", "text", "named", "no"};
    assert_int_equal(hdf5_get_number(file, "f", "/", "small", H5T_NATIVE_INT, &v.small), 0);
    assert_int_equal(v.small, -7);
    assert_int_equal(hdf5_get_number(file, "f", "/", "wide", H5T_NATIVE_INT, &v.small), 0);
    assert_int_equal(v.small, 7);
    assert_int_equal(hdf5_get_number(file, "f", "/", "wider", H5T_NATIVE_INT64, &wide), 0);
    assert_true(wide == (int64_t)1 << 40);
    assert_int_equal(hdf5_get_number(file, "f", "/", "largest", H5T_NATIVE_UINT64, &natural), 0);
    assert_true(natural == UINT64_MAX);
    assert_int_equal(hdf5_get_number(file, "f", "/", "real", H5T_NATIVE_DOUBLE, &real), 0);
    assert_true(real == 1.5);
    /* A negative one is no natural number, an integer no real one. */
    assert_int_equal(
        hdf5_get_number(file, "f", "/", "small", H5T_NATIVE_UINT64, &natural), STATUS_DATA);
    assert_int_equal(
        hdf5_get_number(file, "f", "/", "wide", H5T_NATIVE_DOUBLE, &real), STATUS_DATA);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        capture c;
        capture_begin(&c, 2);
        status st = hdf5_get_number(file, "f.h5", "/", refused[i], H5T_NATIVE_INT, &v.small);
        capture_end(&c);
        if (st != STATUS_DATA || !strstr(c.text, "f.h5") || !strstr(c.text, refused[i]))
            fail_msg("%s: %d, %s", refused[i], (int)st, c.text);
    }
    assert_int_equal(v.small, 7);
    for (size_t i = 0; i < sizeof v.after; i++) assert_int_equal(v.after[i], 0);
    H5Fclose(file);
}

static void texts_are_single_and_short(void **state) {
    (void)state;
    hid_t file = open_file();
    char text[65];
    assert_int_equal(hdf5_get_text(file, "f", "text", text, sizeof text), STATUS_OK);
    assert_int_equal(strlen(text), 64);
    assert_int_equal(hdf5_get_text(file, "f", "text", text, 64), STATUS_DATA);
    assert_int_equal(hdf5_get_text(file, "f", "texts", text, sizeof text), STATUS_DATA);
    assert_int_equal(hdf5_get_text(file, "f", "small", text, sizeof text), STATUS_DATA);
    assert_int_equal(hdf5_get_text(file, "f", "no", text, sizeof text), STATUS_DATA);
    H5Fclose(file);
}

/* What each odd array is called in the message. */
static const struct {
    const char *name, *why;
} odd_array[] = {{"/deep", "dimensions"}, {"/huge", "larger than the file"},
    {"/huge texts", "larger than the file"}, {"/chunked", "chunks"}, {"/filtered", "filtered"},
    {"/outside", "another file"}, {"/virtual", "virtual"}, {"/named", "object of the file"},
    {"/null", "dimensions"}, {"/group", "no array"}, {"/soft", "link"}, {"/external", "link"},
    {"/external/good", "link"}, {"/no", "not in the file"}};

static void only_plain_arrays_are_opened(void **state) {
    (void)state;
    hid_t file = open_file();
    char path[256];
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "odd.h5"));
    size_t before = memory_peak();
    for (size_t i = 0; i < sizeof odd_array / sizeof *odd_array; i++) {
        hsize_t rows = 77, columns = 77;
        char **text = NULL;
        int64_t offset = -1;
        const char *name = odd_array[i].name;
        capture c;
        capture_begin(&c, 2);
        status st = hdf5_shape(file, path, name, &rows, &columns);
        status list = hdf5_get_strings(file, path, name, &text, &rows);
        status at = hdf5_offset(file, path, name, H5T_NATIVE_UINT16, &offset);
        capture_end(&c);
        if (st != STATUS_DATA || list != STATUS_DATA || at != STATUS_DATA || text || rows != 77 ||
            offset != -1 || !strstr(c.text, odd_array[i].why) || !strstr(c.text, "odd.h5"))
            fail_msg("%s: %d %d %d, %s", name, (int)st, (int)list, (int)at, c.text);
    }
    assert_true(memory_peak() - before < 64u << 20);
    H5Fclose(file);
}

static void types_are_those_that_are_asked_for(void **state) {
    (void)state;
    static const char *const wrong[] = {"/signed", "/wide", "/real", "/odd", "/texts"};
    hid_t file = open_file();
    char path[256], **text;
    uint16_t data[ROWS * COLUMNS];
    hsize_t n;
    int64_t offset;
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "odd.h5"));
    assert_int_equal(hdf5_get(file, path, "/good", H5T_NATIVE_UINT16, data), STATUS_OK);
    assert_int_equal(hdf5_get(file, path, "/other order", H5T_NATIVE_UINT16, data), STATUS_OK);
    assert_int_equal(hdf5_offset(file, path, "/good", H5T_NATIVE_UINT16, &offset), STATUS_OK);
    assert_true(offset > 0);
    /* pread would not turn the bytes. */
    assert_int_equal(
        hdf5_offset(file, path, "/other order", H5T_NATIVE_UINT16, &offset), STATUS_DATA);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(hdf5_get(file, path, wrong[i], H5T_NATIVE_UINT16, data), STATUS_DATA);
        assert_int_equal(
            hdf5_offset(file, path, wrong[i], H5T_NATIVE_UINT16, &offset), STATUS_DATA);
    }
    assert_int_equal(hdf5_get_strings(file, path, "/texts", &text, &n), STATUS_OK);
    assert_int_equal(n, ROWS);
    memory_free(text);
    assert_int_equal(hdf5_get_strings(file, path, "/text table", &text, &n), STATUS_DATA);
    assert_int_equal(hdf5_get_strings(file, path, "/good", &text, &n), STATUS_DATA);
    H5Fclose(file);
}

/* The end of an array that is cut off is asked for by nobody. */
static void arrays_end_within_the_file(void **state) {
    (void)state;
    hid_t file = open_file();
    char path[256];
    int64_t offset = 0;
    hsize_t rows, columns;
    snprintf(path, sizeof path, "%s", scratch_path(&folder, "odd.h5"));
    assert_int_equal(hdf5_offset(file, path, "/good", H5T_NATIVE_UINT16, &offset), STATUS_OK);
    assert_int_equal(truncate(path, offset + 10), 0);
    assert_int_equal(hdf5_shape(file, path, "/good", &rows, &columns), STATUS_DATA);
    H5Fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_single_and_fit),
        cmocka_unit_test(texts_are_single_and_short),
        cmocka_unit_test(only_plain_arrays_are_opened),
        cmocka_unit_test(types_are_those_that_are_asked_for),
        cmocka_unit_test(arrays_end_within_the_file),
    };
    scratch_create(&folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_destroy(&folder);
    return failed;
}
