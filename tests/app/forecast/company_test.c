#include "src/app/forecast/company.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* Of all processes. */
typedef struct shared {
    atomic_int works, fail_at;
} shared;

static shared *s;

static int setup(void **state) {
    (void)state;
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return s == MAP_FAILED;
}

static int teardown(void **state) {
    (void)state;
    return munmap(s, sizeof *s);
}

/* The n-th of all calls fails. */
static status work(const void *context) {
    assert_ptr_equal(context, s);
    usleep(1000);
    return atomic_fetch_add(&s->works, 1) + 1 == atomic_load(&s->fail_at) ? STATUS_DATA : STATUS_OK;
}

static void each_works_until_it_is_ended(void **state) {
    (void)state;
    company c;
    pid_t process[3];
    assert_int_equal(company_create(&c, 3, work, s), STATUS_OK);
    assert_int_equal(c.count, 3);
    int first = atomic_load(&s->works);
    assert_true(first >= 3);
    for (int i = 0; i < 3; i++) process[i] = c.process[i];
    /* They go on. */
    while (atomic_load(&s->works) < first + 30) usleep(1000);
    company_destroy(&c);
    for (int i = 0; i < 3; i++) assert_true(kill(process[i], 0) != 0 && errno == ESRCH);
    assert_int_equal(c.count, 0);
}

static void none_is_no_process(void **state) {
    (void)state;
    company c;
    assert_int_equal(company_create(&c, 0, work, s), STATUS_OK);
    assert_int_equal(c.count, 0);
    company_destroy(&c);
    assert_int_equal(atomic_load(&s->works), 0);
}

/* The first of them is waited for before there are others. */
static void one_that_fails_is_told(void **state) {
    (void)state;
    company c;
    atomic_store(&s->fail_at, 1);
    assert_int_equal(company_create(&c, 3, work, s), STATUS_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_works_until_it_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(none_is_no_process, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_fails_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
