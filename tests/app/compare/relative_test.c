#include "src/app/compare/relative.h"

#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* "" stands for the scratch folder itself. */
static void the_way_is_short_and_right(void **state) {
    (void)state;
    static const struct {
        const char *folder, *path, *way;
    } c[] = {{"", "a/b", "a/b"}, {"a", "a/b", "b"}, {"a/b", "a/bc", "../bc"}, {"a/b", "a", ".."},
        {"a/b", "c", "../../c"}, {"c", "a/b", "../a/b"}, {"a", "a", "."}, {"link", "a/bc", "bc"},
        {"c", "link/b", "../a/b"}, {"a/../c", "a/b", "../a/b"}};
    static const char *const folder[] = {"a", "a/b", "a/bc", "c"};
    scratch place;
    char from[256], to[256], out[FILE_PATH];
    scratch_create(&place);
    for (int i = 0; i < 4; i++) assert_int_equal(mkdir(scratch_path(&place, folder[i]), 0777), 0);
    assert_int_equal(symlink("a", scratch_path(&place, "link")), 0);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        strcpy(from, scratch_path(&place, c[i].folder));
        strcpy(to, scratch_path(&place, c[i].path));
        relative_path(out, from, to);
        assert_string_equal(out, c[i].way);
    }
    strcpy(to, scratch_path(&place, "absent"));
    relative_path(out, from, to);
    assert_string_equal(out, to);
    relative_path(out, "/", "/tmp");
    assert_string_equal(out, "tmp");
    scratch_destroy(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_way_is_short_and_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
