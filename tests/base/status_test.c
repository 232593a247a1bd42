/* Which status outweighs which, in whatever order they come. */
#include "src/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* From the lightest to the heaviest. */
static const status order[] = {STATUS_OK, STATUS_STOPPED, STATUS_FAILED, STATUS_USAGE, STATUS_DATA,
    STATUS_OUTPUT, STATUS_NONFINITE, STATUS_HUNG};

static void the_heavier_one_wins(void **state) {
    (void)state;
    const size_t n = sizeof order / sizeof *order;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            assert_int_equal(status_worse(order[i], order[k]), order[i > k ? i : k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_heavier_one_wins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
