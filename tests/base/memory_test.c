/* Aligned memory, refusals. */
#include "src/base/memory.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static capture out;

static void test_aligned_and_zero(void **state) {
    (void)state;
    for (size_t n = 1; n < 300; n += 37) {
        unsigned char *p = memory_alloc(n, 3, "test");
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < 3 * n; i++) assert_int_equal(p[i], 0);
        memory_free(p);
    }
    memory_free(memory_alloc(0, 8, "nothing"));
    memory_free(NULL);
}

static void test_refusals_are_named(void **state) {
    (void)state;
    capture_begin(&out, STDERR_FILENO);
    void *overflow = memory_alloc(SIZE_MAX / 2, 3, "the impossible");
    void *wrapped = memory_alloc(SIZE_MAX, 1, "the rest");
    capture_end(&out);
    assert_null(overflow);
    assert_null(wrapped);
    assert_non_null(strstr(out.text, "the impossible"));
    assert_int_equal(capture_lines(&out), 2);
}

static void test_peak(void **state) {
    enum { MANY = 1 << 26 };
    (void)state;
    size_t before = memory_peak();
    void *p = memory_alloc(MANY, 1, "much");
    assert_non_null(p);
    assert_true(memory_peak() >= before + MANY / 2);
    memory_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_and_zero),
        cmocka_unit_test(test_refusals_are_named),
        cmocka_unit_test(test_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
