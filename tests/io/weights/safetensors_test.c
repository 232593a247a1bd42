#include "io/files/file.h"
#include "io/weights/safetensors.h"
#include "src/base/memory.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

static scratch folder;

static int setup(void **state) {
    (void)state;
    scratch_create(&folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&folder);
    return 0;
}

/* A file from its parts: the length it claims, its header, and `data` zero bytes. */
static const char *craft(uint64_t length, const char *header, size_t data) {
    size_t n = strlen(header);
    char *all = memory_alloc(8 + n + data, 1, "test");
    for (int i = 0; i < 8; i++) all[i] = (char)(length >> 8 * i);
    memcpy(all + 8, header, n);
    scratch_write(scratch_path(&folder, "crafted"), all, 8 + n + data);
    memory_free(all);
    return folder.path;
}

static void broken_files_are_refused(void **state) {
    (void)state;
#define TENSOR(dtype, shape, offsets)                                                              \
    "{\"t\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define PAIR(a, b)                                                                                 \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" a "},"                             \
    "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" b "}}"
    static const struct {
        const char *what, *header;
        size_t data;
        status want;
    } cases[] = {
        {"sound", TENSOR("F32", "[2,2]", "[0,16]"), 16, STATUS_OK},
        {"sound, padded", TENSOR("F32", "[2,2]", "[0,16]") "      ", 16, STATUS_OK},
        {"sound, scalar", TENSOR("I64", "[]", "[0,8]"), 8, STATUS_OK},
        {"sound, empty tensor", TENSOR("F32", "[0,3]", "[0,0]"), 0, STATUS_OK},
        {"sound, no tensor", "{}", 0, STATUS_OK},
        {"sound, metadata", "{\"__metadata__\":{\"k\":\"v\"}}", 0, STATUS_OK},
        {"sound, any order", PAIR("[8,16]", "[0,8]"), 16, STATUS_OK},
        {"not JSON", "{\"t\":", 0, STATUS_DATA},
        {"empty header", "", 0, STATUS_DATA},
        {"array", "[1]", 0, STATUS_DATA},
        {"space in front", " {}", 0, STATUS_DATA},
        {"text after the object", "{} x", 0, STATUS_DATA},
        {"entry is a number", "{\"t\":1}", 0, STATUS_DATA},
        {"metadata not strings", "{\"__metadata__\":{\"k\":1}}", 0, STATUS_DATA},
        {"metadata not an object", "{\"__metadata__\":\"k\"}", 0, STATUS_DATA},
        {"no dtype", "{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, STATUS_DATA},
        {"no shape", "{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, STATUS_DATA},
        {"no offsets", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, STATUS_DATA},
        {"unknown dtype", TENSOR("F31", "[1]", "[0,4]"), 4, STATUS_DATA},
        {"narrow dtype", TENSOR("F16", "[2,2]", "[0,16]"), 16, STATUS_DATA},
        {"wide dtype", TENSOR("F64", "[2,2]", "[0,16]"), 16, STATUS_DATA},
        {"negative extent", TENSOR("F32", "[-2,-2]", "[0,16]"), 16, STATUS_DATA},
        {"fractional extent", TENSOR("F32", "[2.0,2]", "[0,16]"), 16, STATUS_DATA},
        {"extent beyond int64", TENSOR("F32", "[18446744073709551616]", "[0,0]"), 0, STATUS_DATA},
        {"product wraps to 0", TENSOR("F32", "[4294967296,4294967296]", "[0,0]"), 0, STATUS_DATA},
        {"bytes wrap to 0", TENSOR("F32", "[4611686018427387904]", "[0,0]"), 0, STATUS_DATA},
        {"nine dimensions", TENSOR("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, STATUS_DATA},
        {"reversed offsets", TENSOR("F32", "[1]", "[4,0]"), 4, STATUS_DATA},
        {"negative offset", TENSOR("F32", "[1]", "[-4,0]"), 4, STATUS_DATA},
        {"three offsets", TENSOR("F32", "[1]", "[0,4,4]"), 4, STATUS_DATA},
        {"beyond the file", TENSOR("F32", "[2]", "[0,8]"), 4, STATUS_DATA},
        {"far beyond the file", TENSOR("U8", "[9223372036854775807]", "[0,9223372036854775807]"), 4,
            STATUS_DATA},
        {"bytes left over", TENSOR("F32", "[1]", "[0,4]"), 5, STATUS_DATA},
        {"hole at the start", TENSOR("F32", "[1]", "[4,8]"), 8, STATUS_DATA},
        {"hole between", PAIR("[0,8]", "[12,20]"), 20, STATUS_DATA},
        {"overlap", PAIR("[0,8]", "[4,12]"), 12, STATUS_DATA},
        {"same range", PAIR("[0,8]", "[0,8]"), 8, STATUS_DATA},
        {"name twice",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
            2, STATUS_DATA},
        {"dtype twice",
            "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            STATUS_DATA},
        {"zero byte in a name",
            "{\"a\\u0000\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            STATUS_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        safetensors *f = NULL;
        const char *path = craft(strlen(cases[i].header), cases[i].header, cases[i].data);
        status st = safetensors_read(&f, path);
        if (st != cases[i].want) fail_msg("%s: status %d", cases[i].what, st);
        assert_true((st == STATUS_OK) == (f != NULL));
        safetensors_close(f);
        f = NULL;
        assert_int_equal(safetensors_read_header(&f, path), cases[i].want);
        safetensors_close(f);
    }
}

static void header_lengths_are_checked(void **state) {
    (void)state;
    static const uint64_t lengths[] = {0, 1, 3, 1 << 24, (1 << 24) + 1, INT64_MAX, UINT64_MAX};
    safetensors *f = NULL;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(safetensors_read(&f, craft(lengths[i], "{}", 0)), STATUS_DATA);
    for (size_t bytes = 0; bytes < 8; bytes++) {
        scratch_write(scratch_path(&folder, "short"), "\2\0\0\0\0\0\0", bytes);
        assert_int_equal(safetensors_read(&f, folder.path), STATUS_DATA);
    }
    assert_int_equal(safetensors_read(&f, scratch_path(&folder, "absent")), STATUS_DATA);
    assert_int_equal(safetensors_read(&f, folder.folder), STATUS_DATA);
    assert_null(f);
}

static void many_tensors_take_little_time(void **state) {
    (void)state;
    enum { MANY = 100000 };
    size_t room = (size_t)MANY * 100, n = 1;
    char *header = memory_alloc(room, 1, "test"), name[16];
    header[0] = '{';
    for (int i = 0; i < MANY; i++)
        n += (size_t)snprintf(header + n, room - n,
            "%s\"t%d\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%d,%d]}", i ? "," : "", i,
            4 * i, 4 * i + 4);
    header[n++] = '}';
    const char *path = craft(n, header, (size_t)MANY * 4);
    safetensors *f = NULL;
    clock_t began = clock();
    assert_int_equal(safetensors_read(&f, path), STATUS_OK);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(safetensors_find(f, name), i);
    }
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    print_message("%d tensors: %.3f s\n", MANY, seconds);
    assert_int_equal(safetensors_count(f), MANY);
    assert_int_equal(safetensors_find(f, "t"), -1);
#ifndef __SANITIZE_ADDRESS__
    /* Processor time, far above what is needed: every pair of names would take minutes. */
    assert_true(seconds < 10);
#endif
    safetensors_close(f);
    memory_free(header);
}

static const float numbers[3] = {1, -2, 3.5f};
static const int64_t whole = 7;
static const char *const about[] = {"format", "pt", "quote", "\"\\\n", "xxh3", "not mine"};

static const char *write_sample(void) {
    const tensor_info tensor[] = {
        {"a.weight", "F32", 2, {3, 1}, numbers, sizeof numbers},
        {"count", "I64", 0, {0}, &whole, sizeof whole},
        {"none", "F32", 2, {0, 4}, NULL, 0},
    };
    const char *path = scratch_path(&folder, "sample.safetensors");
    assert_int_equal(safetensors_write(path, tensor, 3, about, 3), STATUS_OK);
    return path;
}

static void written_files_are_read_back(void **state) {
    (void)state;
    const char *key, *value;
    safetensors *f = NULL;
    bool checked = false;
    assert_int_equal(safetensors_read(&f, write_sample()), STATUS_OK);
    assert_int_equal(safetensors_count(f), 3);
    tensor_info t = safetensors_get(f, 0); /* the widest type comes first: aligned */
    assert_string_equal(t.name, "count");
    assert_int_equal((uintptr_t)t.data % 8, 0);
    assert_memory_equal(t.data, &whole, sizeof whole);
    t = safetensors_get(f, safetensors_find(f, "a.weight"));
    assert_string_equal(t.type, "F32");
    assert_int_equal(t.dims, 2);
    assert_int_equal(t.shape[0], 3);
    assert_memory_equal(t.data, numbers, sizeof numbers);
    t = safetensors_get(f, safetensors_find(f, "none"));
    assert_int_equal(t.bytes, 0);
    assert_string_equal(safetensors_metadata(f, "format"), "pt");
    assert_string_equal(safetensors_metadata(f, "quote"), "\"\\\n");
    assert_string_not_equal(safetensors_metadata(f, "xxh3"), "not mine");
    assert_null(safetensors_metadata(f, "other"));
    assert_true(safetensors_metadata_at(f, 1, &key, &value));
    assert_string_equal(key, "quote");
    assert_false(safetensors_metadata_at(f, 2, &key, &value));
    assert_int_equal(safetensors_verify(f, &checked), STATUS_OK);
    assert_true(checked);
    safetensors_close(f);
}

static void every_flipped_byte_is_found(void **state) {
    (void)state;
    char *data;
    size_t bytes;
    assert_int_equal(file_read(write_sample(), 1 << 20, (void **)&data, &bytes), STATUS_OK);
    const char *path = scratch_path(&folder, "flipped");
    for (size_t i = 0; i < bytes; i++) {
        char kept = data[i];
        /* Space to tab: still the same JSON. */
        data[i] = (char)(kept == ' ' ? '\t' : kept ^ (1 << i % 8));
        scratch_write(path, data, bytes);
        safetensors *f = NULL;
        status st = safetensors_read(&f, path);
        if (st == STATUS_OK) st = safetensors_verify(f, NULL);
        if (st == STATUS_OK) fail_msg("byte %zu of %zu", i, bytes);
        safetensors_close(f);
        data[i] = kept;
    }
    memory_free(data);
}

static void names_that_cannot_be_written(void **state) {
    (void)state;
    const tensor_info twice[] = {
        {"a", "I64", 0, {0}, &whole, sizeof whole}, {"a", "I64", 0, {0}, &whole, sizeof whole}};
    const tensor_info reserved = {"__metadata__", "I64", 0, {0}, &whole, sizeof whole};
    const tensor_info latin = {"\xe9", "I64", 0, {0}, &whole, sizeof whole};
    const char *const bad[] = {"k", "\xff"};
    const char *path = scratch_path(&folder, "unwritten");
    assert_int_equal(safetensors_write(path, twice, 2, NULL, 0), STATUS_DATA);
    assert_int_equal(safetensors_write(path, &reserved, 1, NULL, 0), STATUS_DATA);
    assert_int_equal(safetensors_write(path, &latin, 1, NULL, 0), STATUS_DATA);
    assert_int_equal(safetensors_write(path, twice, 1, bad, 1), STATUS_DATA);
    assert_false(file_exists(path));
}

static void real_weights(void **state) {
    (void)state;
    const char *shared = getenv("AUXSEG_SHARED");
    char path[FILE_PATH];
    if (!shared) {
        print_message("AUXSEG_SHARED is not set: no real weights\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/data/weights/resnet18-imagenet-layer3.safetensors", shared);
    safetensors *f = NULL;
    bool checked = true;
    assert_int_equal(safetensors_read(&f, path), STATUS_OK);
    tensor_info t = safetensors_get(f, safetensors_find(f, "conv1.weight"));
    assert_string_equal(t.type, "F32");
    assert_int_equal(t.dims, 4);
    assert_int_equal(t.shape[0], 64);
    assert_int_equal(t.shape[3], 7);
    assert_int_equal(safetensors_verify(f, &checked), STATUS_OK);
    assert_false(checked);
    safetensors_close(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(header_lengths_are_checked),
        cmocka_unit_test(many_tensors_take_little_time),
        cmocka_unit_test(written_files_are_read_back),
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(names_that_cannot_be_written),
        cmocka_unit_test(real_weights),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
