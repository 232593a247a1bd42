#include "io/files/file.h"
#include "io/weights/torch_file.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static int find(const torch_file *f, const char *name) {
    for (int i = 0; i < torch_file_count(f); i++)
        if (strcmp(torch_file_get(f, i).name, name) == 0) return i;
    return -1;
}

static void hex(const tensor_info *t, char *text, size_t size) {
    size_t n = 0;
    if (t->bytes == 0) strcpy(text, "-");
    for (size_t i = 0; i < t->bytes && n + 3 < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%02x", ((const unsigned char *)t->data)[i]);
}

static void shape(const tensor_info *t, char *text) {
    int n = sprintf(text, "[");
    for (int d = 0; d < t->dims; d++)
        n += sprintf(text + n, "%s%lld", d ? "," : "", (long long)t->shape[d]);
    sprintf(text + n, "]");
}

/* Every tensor of a fixture against the bytes that torch holds. */
static int compare_with_torch(const char *file) {
    char path[512], name[64], of[64], type[16], want_shape[32], want[512], have[512];
    torch_file *f = NULL;
    int tensors = 0;
    snprintf(path, sizeof path, "%s/fixtures/%s", AUXSEG_TESTS, file);
    assert_int_equal(torch_file_read(&f, path), STATUS_OK);
    assert_string_equal(torch_file_place(f), "state_dict");
    FILE *list = fopen(AUXSEG_TESTS "/fixtures/torch.txt", "r");
    assert_non_null(list);
    while (fscanf(list, "%63s %63s %15s %31s %511s", of, name, type, want_shape, want) == 5) {
        if (strcmp(of, file) != 0) continue;
        int i = find(f, name);
        if (i < 0) fail_msg("%s: no tensor %s", file, name);
        tensor_info t = torch_file_get(f, i);
        char have_shape[64];
        hex(&t, have, sizeof have);
        shape(&t, have_shape);
        assert_string_equal(t.type, type);
        assert_string_equal(have_shape, want_shape);
        assert_string_equal(have, want);
        tensors++;
    }
    fclose(list);
    assert_int_equal(torch_file_count(f), tensors);
    torch_file_close(f);
    return tensors;
}

static void every_type_is_read_as_torch_holds_it(void **state) {
    (void)state;
    assert_int_equal(compare_with_torch("torch_zip.pth"), 21);
    assert_int_equal(compare_with_torch("torch_legacy.pth"), 16);
}

static void headers_are_read_without_data(void **state) {
    (void)state;
    torch_file *f;
    assert_int_equal(torch_file_read_header(&f, AUXSEG_TESTS "/fixtures/torch_zip.pth"), STATUS_OK);
    tensor_info t = torch_file_get(f, find(f, "view.inner"));
    assert_null(t.data);
    assert_int_equal(t.bytes, 24);
    torch_file_close(f);
}

/* ---- legacy files by hand: sizes and strides that lie ---- */

#define MAGIC "\x80\2\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8P\x19.\x80\2M\xe9\x03."
#define SYSTEM(order) "\x80\2}X\x0d\0\0\0little_endian" order "s."
/* A dictionary with tensor "w": 4 floats of storage "0", first element, sizes, strides. */
#define OBJECT(first, sizes, strides)                                                              \
    "\x80\2}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n"               \
    "FloatStorage\nX\1\0\0\0"                                                                      \
    "0X\3\0\0\0cpuK\4tQ" first sizes strides "\x89"                                                \
    "ccollections\nOrderedDict\n)RtRs."
#define KEYS                                                                                       \
    "\x80\2]X\1\0\0\0"                                                                             \
    "0a."
#define COUNT(n) n "\0\0\0\0\0\0\0"
#define DATA "0123456789abcdef"
#define FILE_OF(order, first, sizes, strides, keys, count, data)                                   \
    MAGIC SYSTEM(order) OBJECT(first, sizes, strides) keys COUNT(count) data
#define P(text) text, sizeof text - 1

static void lies_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t size;
        status want;
    } cases[] = {
        {"sound", P(FILE_OF("\x88", "K\0", "K\2K\2\x86", "K\2K\1\x86", KEYS, "\4", DATA)),
            STATUS_OK},
        {"sound, scalar", P(FILE_OF("\x88", "K\3", ")", ")", KEYS, "\4", DATA)), STATUS_OK},
        {"sound, turned", P(FILE_OF("\x88", "K\0", "K\2K\2\x86", "K\1K\2\x86", KEYS, "\4", DATA)),
            STATUS_OK},
        {"big-endian", P(FILE_OF("\x89", "K\0", "K\4\x85", "K\1\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"one element beyond", P(FILE_OF("\x88", "K\1", "K\4\x85", "K\1\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"stride beyond", P(FILE_OF("\x88", "K\0", "K\4\x85", "K\2\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"stride 0 makes it huge",
            P(FILE_OF("\x88", "K\0", "J\xff\xff\xff\x7f\x85", "K\0\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"product overflows",
            P(FILE_OF("\x88", "K\0", "J\0\0\0\x40J\0\0\0\x40J\0\0\0\x40\x87", "K\0K\0K\0\x87", KEYS,
                "\4", DATA)),
            STATUS_DATA},
        {"negative size",
            P(FILE_OF("\x88", "K\0", "J\xff\xff\xff\xff\x85", "K\1\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"negative stride",
            P(FILE_OF("\x88", "K\3", "K\4\x85", "J\xff\xff\xff\xff\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"negative first",
            P(FILE_OF("\x88", "J\xff\xff\xff\xff", "K\4\x85", "K\1\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"strides of another number", P(FILE_OF("\x88", "K\0", "K\4\x85", ")", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"sizes are no tuple", P(FILE_OF("\x88", "K\0", "K\4", "K\1\x85", KEYS, "\4", DATA)),
            STATUS_DATA},
        {"storage shorter", P(FILE_OF("\x88", "K\0", "K\4\x85", "K\1\x85", KEYS, "\3", DATA)),
            STATUS_DATA},
        {"storage cut off", P(FILE_OF("\x88", "K\0", "K\4\x85", "K\1\x85", KEYS, "\4", "0123")),
            STATUS_DATA},
        {"storage not in the list",
            P(FILE_OF("\x88", "K\0", "K\4\x85", "K\1\x85", "\x80\2].", "\4", DATA)), STATUS_DATA},
        {"storage twice in the list",
            P(FILE_OF("\x88", "K\0", "K\4\x85", "K\1\x85",
                "\x80\2](X\1\0\0\0"
                "0X\1\0\0\0"
                "0e.",
                "\4", DATA)),
            STATUS_DATA},
        {"another version", P("\x80\2\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8P\x19.\x80\2M\xe8\x03."),
            STATUS_DATA},
        {"the start alone", P("\x80\2\x8a\x0al\xfc\x9c\x46"), STATUS_DATA},
        {"no tensors", P(MAGIC SYSTEM("\x88") "\x80\2}.\x80\2]."), STATUS_DATA},
        {"a cycle", P(MAGIC SYSTEM("\x88") "\x80\2}q\0X\1\0\0\0ah\0s.\x80\2]."), STATUS_DATA},
        {"an empty archive", P("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), STATUS_DATA},
        {"the start of an archive", P("PK\3\4\0\0\0\0"), STATUS_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        torch_file *f = NULL;
        const char *path = scratch_path(&folder, "crafted.pth");
        scratch_write(path, cases[i].bytes, cases[i].size);
        status st = torch_file_read(&f, path);
        if (st != cases[i].want) fail_msg("%s: status %d", cases[i].what, st);
        if (st == STATUS_OK) assert_int_equal(torch_file_count(f), 1);
        torch_file_close(f);
    }
}

/* Lists of lists of one list, each ten times in the next: 10^20 values in 300 bytes. */
static void bombs_are_refused(void **state) {
    (void)state;
    char bytes[1024];
    static const char head[] = MAGIC SYSTEM("\x88") "\x80\2]q\0",
                      step[] = "](h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0eq\0";
    size_t n = sizeof head - 1;
    memcpy(bytes, head, n);
    for (int i = 0; i < 14; i++, n += sizeof step - 1) memcpy(bytes + n, step, sizeof step - 1);
    memcpy(bytes + n, ".\x80\2].", 5);
    scratch_write(scratch_path(&folder, "bomb.pth"), bytes, n + 5);
    torch_file *f = NULL;
    assert_int_equal(torch_file_read(&f, folder.path), STATUS_DATA);
}

/* Damaged files are refused or read: 2,000 of each kind, one to four bytes changed, or cut. */
static void damaged_files_do_no_harm(const char *fixture, int *sound) {
    char path[512];
    void *bytes, *copy;
    size_t size;
    snprintf(path, sizeof path, "%s/fixtures/%s", AUXSEG_TESTS, fixture);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size), STATUS_OK);
    copy = memory_alloc(size, 1, "test");
    assert_non_null(copy);
    *sound = 0;
    for (uint64_t k = 0; k < 2000; k++) {
        random_stream r = random_begin(1, RANDOM_INIT, k, 0);
        size_t length = k % 8 ? size : (size_t)(random_between(&r, 0, 1) * (double)size);
        int changes = 1 + (int)(k % 4);
        memcpy(copy, bytes, size);
        for (int i = 0; i < changes; i++) {
            size_t at = (size_t)(random_between(&r, 0, 1) * (double)size);
            ((unsigned char *)copy)[at < size ? at : 0] =
                (unsigned char)random_between(&r, 0, 255.9);
        }
        unlink(
            scratch_path(&folder, "damaged.pth")); /* written over, it would be flushed each time */
        scratch_write(folder.path, copy, length);
        torch_file *f = NULL;
        status st = torch_file_read(&f, folder.path);
        assert_true(st == STATUS_OK || st == STATUS_DATA);
        *sound += st == STATUS_OK;
        torch_file_close(f);
    }
    memory_free(bytes);
    memory_free(copy);
}

static void damaged_archives_do_no_harm(void **state) {
    (void)state;
    int sound;
    damaged_files_do_no_harm("torch_zip.pth", &sound);
    assert_in_range(sound, 1, 1500); /* changed padding is no damage */
}

static void damaged_pickles_do_no_harm(void **state) {
    (void)state;
    int sound;
    damaged_files_do_no_harm("torch_legacy.pth", &sound);
    assert_in_range(sound, 1, 1900); /* tensors' bytes carry no checksum */
}

static uint32_t adler32_append(uint32_t before, const unsigned char *x, size_t n) {
    uint32_t a = before & 0xffff, b = before >> 16;
    for (size_t i = 0; i < n; i++) {
        a = (a + x[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* Published files, where they are at hand: names and bytes as torch.load gives them. */
static void published_files_are_read(void **state) {
    (void)state;
    static const struct {
        const char *file, *place;
        int tensors;
        uint32_t adler; /* zlib.adler32 in Python of all tensors' bytes in the file's order */
    } cases[] = {
        {"pidinet-tiny-l.pth", "state_dict", 47, 0x22d1c5ba},
        {"resnet20-cifar10.th", "state_dict", 97, 0x5b56661b},
        {"espnet_p_2_q_8_camvid.pth", "", 189, 0x24b6eb45},
    };
    const char *shared = getenv("AUXSEG_SHARED");
    if (!shared) skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[1024];
        torch_file *f = NULL;
        snprintf(path, sizeof path, "%s/data/weights/%s", shared, cases[i].file);
        if (!file_exists(path)) skip();
        assert_int_equal(torch_file_read(&f, path), STATUS_OK);
        assert_string_equal(torch_file_place(f), cases[i].place);
        assert_int_equal(torch_file_count(f), cases[i].tensors);
        uint32_t adler = 1;
        for (int k = 0; k < cases[i].tensors; k++) {
            tensor_info t = torch_file_get(f, k);
            adler = adler32_append(adler, t.data, t.bytes);
        }
        assert_int_equal(adler, cases[i].adler);
        torch_file_close(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_is_read_as_torch_holds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(headers_are_read_without_data, setup, teardown),
        cmocka_unit_test_setup_teardown(lies_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bombs_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_archives_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_pickles_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(published_files_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
