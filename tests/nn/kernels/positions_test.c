/* Position embeddings brought to another grid: what is in the middle stays there, however much a
 * grid shrinks. Values beside torch's are in the fixture of vision transformers. */
#include "src/nn/kernels/positions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

/* A slope along both axes is its own mirror image: so is what it is reduced to. */
static void check_symmetric(int grid, int size) {
    float *x = test_malloc((size_t)(grid * grid) * sizeof *x);
    float *y = test_malloc((size_t)(size * size) * sizeof *y);
    for (int i = 0; i < grid * grid; i++) x[i] = (float)(i / grid + i % grid);
    assert_int_equal(positions_resize(x, grid, y, size, size, 1, true), STATUS_OK);
    for (int i = 0; i < size * size; i++)
        assert_float_equal(y[i] + y[size * size - 1 - i], 2.0F * (float)(grid - 1), 1e-3F);
    test_free(x);
    test_free(y);
}

static void a_grid_may_shrink_by_any_factor(void **state) {
    (void)state;
    check_symmetric(16, 9);
    check_symmetric(100, 3);
    check_symmetric(200, 1);
    check_symmetric(3, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_grid_may_shrink_by_any_factor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
