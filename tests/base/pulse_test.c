/* Waits nest, and what somebody who waits does meanwhile is no progress. */
#include "src/base/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/stop.h"

static void waits_nest(void **state) {
    (void)state;
    assert_false(pulse_now().waiting);
    pulse_wait();
    pulse_wait();
    assert_true(pulse_now().waiting);
    pulse_go();
    assert_true(pulse_now().waiting);
    pulse_go();
    assert_false(pulse_now().waiting);
}

static void ends_of_waits_are_progress(void **state) {
    (void)state;
    uint64_t before = pulse_now().ticks;
    pulse_wait();
    uint64_t within = pulse_now().ticks;
    assert_true(within > before);
    pulse_wait();
    pulse_go();
    assert_true(pulse_now().ticks > within);
    within = pulse_now().ticks;
    pulse_go();
    assert_true(pulse_now().ticks > within);
}

/* As a rank does that waits for the others' shares (mpi/stop_watch.c). */
static void a_question_in_a_wait_is_none(void **state) {
    (void)state;
    uint64_t before = pulse_now().ticks;
    assert_false(stop_asked());
    assert_true(pulse_now().ticks > before);
    pulse_wait();
    before = pulse_now().ticks;
    assert_false(stop_asked());
    assert_false(stop_requested());
    assert_true(pulse_now().ticks == before);
    pulse_go();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_nest),
        cmocka_unit_test(ends_of_waits_are_progress),
        cmocka_unit_test(a_question_in_a_wait_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
