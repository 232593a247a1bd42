/* Aligned memory, refusals; what is left. */
#include "src/base/memory.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>

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

/* The second span sees neither the first one's memory nor hides it from the whole. */
static void test_peak_of_a_span(void **state) {
    enum { MANY = 1 << 26 };
    (void)state;
    memory_span_begin();
    if (memory_span_peak() == 0) skip();
#ifdef __SANITIZE_ADDRESS__
    skip(); /* what is freed stays in its quarantine */
#endif
    void *p = memory_alloc(MANY, 1, "much");
    assert_non_null(p);
    size_t first = memory_span_peak();
    memory_free(p);
    memory_span_begin();
    assert_true(memory_span_peak() + MANY / 2 < first);
    assert_true(memory_peak() >= first);
}

/* A file below the folder, its folders made as needed. */
static void put(const char *root, const char *name, const char *text) {
    char path[512];
    int n = snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; at < path + n; at++) {
        if (*at != '/') continue;
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* The node's memory; a job's group, under both versions of the kernel's interface; a group above
 * with less left; a path of another namespace. */
static void test_available(void **state) {
    (void)state;
    char root[] = "/tmp/auxseg-memory-XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    assert_true(memory_available(root) > SIZE_MAX / 2048);
    put(root, "proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    5000 kB\n");
    assert_int_equal(memory_available(root), 5000 * 1024);
    put(root, "proc/self/cgroup", "4:memory:/job/step\n1:cpu:/job\n0::/\n");
    put(root, "sys/fs/cgroup/memory/job/step/memory.limit_in_bytes", "9223372036854771712\n");
    put(root, "sys/fs/cgroup/memory/job/step/memory.usage_in_bytes", "100\n");
    assert_int_equal(memory_available(root), 5000 * 1024);
    put(root, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3000000\n");
    put(root, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1000000\n");
    assert_int_equal(memory_available(root), 2000000);
    put(root, "sys/fs/cgroup/memory/job/memory.stat", "cache 7\ntotal_inactive_file 400000\n");
    assert_int_equal(memory_available(root), 2400000);
    put(root, "proc/self/cgroup", "0::/user/job\n");
    put(root, "sys/fs/cgroup/user/job/memory.max", "max\n");
    put(root, "sys/fs/cgroup/user/job/memory.current", "5\n");
    assert_int_equal(memory_available(root), 5000 * 1024);
    put(root, "sys/fs/cgroup/user/job/memory.max", "700\n");
    put(root, "sys/fs/cgroup/user/job/memory.stat", "anon 1\ninactive_file 2\n");
    assert_int_equal(memory_available(root), 697);
    put(root, "sys/fs/cgroup/user/job/memory.current", "900\n");
    assert_int_equal(memory_available(root), 0);
    put(root, "proc/self/cgroup", "0::/elsewhere/job\n");
    put(root, "sys/fs/cgroup/memory.max", "800\n");
    put(root, "sys/fs/cgroup/memory.current", "100\n");
    assert_int_equal(memory_available(root), 700);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_and_zero),
        cmocka_unit_test(test_refusals_are_named),
        cmocka_unit_test(test_peak),
        cmocka_unit_test(test_peak_of_a_span),
        cmocka_unit_test(test_available),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
