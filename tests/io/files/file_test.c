#include "io/files/file.h"
#include "src/base/memory.h"
#include "tests/base/capture.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

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

static void paths(void **state) {
    (void)state;
    char path[FILE_PATH], longest[FILE_PATH + 8];
    assert_int_equal(file_path(path, "run", "a.h5"), STATUS_OK);
    assert_string_equal(path, "run/a.h5");
    assert_int_equal(file_path(path, "", "a.h5"), STATUS_OK);
    assert_string_equal(path, "a.h5");
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(file_path(path, "run", longest), STATUS_USAGE);
    assert_int_equal(file_temporary(path, longest), STATUS_USAGE);
}

static void folders(void **state) {
    scratch *s = *state;
    struct stat about;
    assert_int_equal(file_make_folder(scratch_path(s, "a//b/c/")), STATUS_OK);
    assert_int_equal(stat(scratch_path(s, "a/b/c"), &about), 0);
    assert_true(S_ISDIR(about.st_mode));
    assert_int_equal(file_make_folder(scratch_path(s, "a/b")), STATUS_OK);
    assert_int_equal(file_make_folder(""), STATUS_USAGE);
    assert_int_equal(file_write(scratch_path(s, "plain"), "x", 1), STATUS_OK);
    assert_int_equal(file_make_folder(scratch_path(s, "plain/below")), STATUS_OUTPUT);
}

/* The reason is mkdir's, not that of the question whether the folder is there already. */
static void folders_that_cannot_be_made(void **state) {
    enum { NOBODY = 65534 };
    scratch *s = *state;
    capture c;
    const char *path = scratch_path(s, "closed");
    assert_int_equal(mkdir(path, 0555), 0);
    int root = geteuid() == 0;
    assert_int_equal(chmod(s->folder, 0755), 0);
    if (root) assert_int_equal(seteuid(NOBODY), 0);
    capture_begin(&c, 2);
    status st = file_make_folder(scratch_path(s, "closed/below"));
    capture_end(&c);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(st, STATUS_OUTPUT);
    assert_non_null(strstr(c.text, "closed/below: cannot make this folder: Permission denied"));
}

static void written_and_read_back(void **state) {
    scratch *s = *state;
    char text[8] = "1234567";
    void *data;
    size_t bytes;
    file_part part[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    const char *path = scratch_path(s, "parts");
    assert_int_equal(file_write_parts(path, part, 3), STATUS_OK);
    assert_int_equal(file_read(path, 5, &data, &bytes), STATUS_OK);
    assert_int_equal(bytes, 5);
    assert_string_equal(data, "abcde"); /* a zero byte follows */
    memory_free(data);
    assert_int_equal(file_write(path, text, 7), STATUS_OK);
    assert_int_equal(file_read(path, 7, &data, &bytes), STATUS_OK);
    assert_string_equal(data, text);
    memory_free(data);
    assert_int_equal(file_write(path, NULL, 0), STATUS_OK);
    assert_int_equal(file_read(path, 0, &data, &bytes), STATUS_OK);
    assert_int_equal(bytes, 0);
    memory_free(data);
    assert_false(file_exists(scratch_path(s, "parts" FILE_TEMPORARY)));
}

static void unreadable(void **state) {
    scratch *s = *state;
    void *data = s;
    size_t bytes = 77;
    uint64_t hash = 77;
    assert_int_equal(file_read(scratch_path(s, "absent"), 10, &data, &bytes), STATUS_DATA);
    assert_int_equal(file_hash(scratch_path(s, "absent"), &hash), STATUS_DATA);
    assert_int_equal(file_read(s->folder, 10, &data, &bytes), STATUS_DATA);
    assert_int_equal(file_write(scratch_path(s, "long"), "12345678", 8), STATUS_OK);
    assert_int_equal(file_read(s->path, 7, &data, &bytes), STATUS_DATA);
    assert_int_equal(mkfifo(scratch_path(s, "pipe"), 0600), 0);
    assert_int_equal(file_read(s->path, 7, &data, &bytes), STATUS_DATA);
    assert_ptr_equal(data, s); /* untouched */
    assert_int_equal(bytes, 77);
    assert_int_equal(hash, 77);
}

static void unwritable(void **state) {
    scratch *s = *state;
    assert_int_equal(file_write(scratch_path(s, "no/such/folder"), "x", 1), STATUS_OUTPUT);
    /* The old file stays if the new one cannot take its place. */
    assert_int_equal(file_make_folder(scratch_path(s, "taken/inside")), STATUS_OK);
    assert_int_equal(file_write(scratch_path(s, "taken"), "x", 1), STATUS_OUTPUT);
    assert_true(file_exists(scratch_path(s, "taken/inside")));
    assert_false(file_exists(scratch_path(s, "taken" FILE_TEMPORARY)));
}

/* What a kill has left under the temporary name goes; a link there leads nowhere. */
static void temporary_names_are_taken(void **state) {
    scratch *s = *state;
    char victim[FILE_PATH], temporary[FILE_PATH];
    void *data;
    size_t bytes;
    strcpy(victim, scratch_path(s, "victim"));
    assert_int_equal(file_write(victim, "kept", 4), STATUS_OK);
    strcpy(temporary, scratch_path(s, "linked" FILE_TEMPORARY));
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(file_write(scratch_path(s, "linked"), "x", 1), STATUS_OK);
    assert_int_equal(file_read(victim, 10, &data, &bytes), STATUS_OK);
    assert_int_equal(bytes, 4);
    memory_free(data);
    scratch_write(scratch_path(s, "left" FILE_TEMPORARY), "longer", 6);
    assert_int_equal(file_write(scratch_path(s, "left"), "y", 1), STATUS_OK);
    assert_int_equal(file_read(s->path, 1, &data, &bytes), STATUS_OK);
    memory_free(data);
    assert_false(file_exists(scratch_path(s, "left" FILE_TEMPORARY)));
}

static void hashed(void **state) {
    scratch *s = *state;
    enum { LARGE = (1 << 22) + 100 };
    uint64_t a, b;
    char *data = memory_alloc(LARGE, 1, "test");
    const char *path = scratch_path(s, "large");
    assert_int_equal(file_write(path, data, LARGE), STATUS_OK);
    assert_int_equal(file_hash(path, &a), STATUS_OK);
    data[LARGE - 1] = 1;
    assert_int_equal(file_write(path, data, LARGE), STATUS_OK);
    assert_int_equal(file_hash(path, &b), STATUS_OK);
    assert_true(a != b);
    memory_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(folders),
        cmocka_unit_test(folders_that_cannot_be_made),
        cmocka_unit_test(written_and_read_back),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(unwritable),
        cmocka_unit_test(temporary_names_are_taken),
        cmocka_unit_test(hashed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
