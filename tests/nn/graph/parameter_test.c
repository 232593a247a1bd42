#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/graph/parameter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static parameter declare(
    const char *name, int64_t a, int64_t b, bool trainable, parameter_init init) {
    parameter p = {.dims = b ? 2 : 1,
        .shape = {a, b},
        .trainable = trainable,
        .init = init,
        .fan_in = 50,
        .fan_out = 200};
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static parameters *create(const parameter *declared, int n) {
    parameters *p = NULL;
    assert_int_equal(parameters_from(&p, declared, n), STATUS_OK);
    return p;
}

static void test_trainable_come_first(void **state) {
    (void)state;
    parameter declared[] = {
        declare("a.weight", 3, 4, true, INIT_KAIMING),
        declare("b.running_mean", 5, 0, false, INIT_ZERO),
        declare("b.running_var", 5, 0, false, INIT_ONE),
        declare("b.weight", 5, 0, true, INIT_ONE),
        declare("c.bias", 2, 0, true, INIT_UNIFORM),
    };
    const char *const order[] = {
        "a.weight", "b.weight", "c.bias", "b.running_mean", "b.running_var"};
    const size_t offset[] = {0, 12, 17, 0, 5}, count[] = {12, 5, 2, 5, 5};
    parameters *p = create(declared, 5);
    assert_int_equal(p->items, 5);
    assert_int_equal(p->trainable, 3);
    assert_int_equal(p->count, 19);
    assert_int_equal(p->buffers, 10);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(p->item[i].name, order[i]);
        assert_int_equal(p->item[i].offset, offset[i]);
        assert_int_equal(p->item[i].count, count[i]);
        assert_int_equal(parameters_find(p, order[i]), i);
    }
    assert_int_equal(parameters_find(p, "b"), -1);
    for (size_t i = 0; i < p->count; i++) assert_true(p->value[i] == 0.0f);
    parameters_destroy(p);
    parameters_destroy(NULL);
}

static void test_initial_values(void **state) {
    (void)state;
    enum { N = 400, M = 500 };
    parameter declared[] = {
        declare("ones", 7, 0, false, INIT_ONE),
        declare("normal", N, M, true, INIT_KAIMING),
        declare("uniform", N, M, true, INIT_UNIFORM),
    };
    parameters *p = create(declared, 3);
    parameters_initialize(p, 1);
    const float *normal = p->value, *uniform = p->value + N * M;
    double square = 0.0, mean = 0.0, largest = 0.0;
    for (int i = 0; i < N * M; i++) {
        square += (double)normal[i] * normal[i];
        mean += uniform[i];
        largest = fmax(largest, fabs(uniform[i]));
    }
    assert_true(fabs(square / (N * M) / (2.0 / 200) - 1.0) < 0.02);
    assert_true(fabs(mean / (N * M)) < 1e-3);
    assert_true(largest <= 1.0 / sqrt(50.0) && largest > 0.999 / sqrt(50.0));
    assert_true(p->buffer[6] == 1.0f);

    /* The values belong to the name, whatever else the graph holds, and to the seed. */
    parameters *alone = create(declared + 2, 1), *other = create(declared + 2, 1);
    parameters_initialize(alone, 1);
    parameters_initialize(other, 2);
    assert_memory_equal(alone->value, uniform, N * M * sizeof(float));
    assert_memory_not_equal(other->value, uniform, N * M * sizeof(float));
    parameters_destroy(p);
    parameters_destroy(alone);
    parameters_destroy(other);
}

static void test_copy_wants_name_and_shape(void **state) {
    (void)state;
    parameter from_items[] = {
        declare("same", 2, 2, true, INIT_UNIFORM),
        declare("wider", 3, 0, true, INIT_UNIFORM),
        declare("mean", 2, 0, false, INIT_ONE),
        declare("flat", 4, 0, true, INIT_UNIFORM),
    };
    parameter to_items[] = {
        declare("mean", 2, 0, false, INIT_ZERO),
        declare("flat", 2, 2, true, INIT_ZERO),
        declare("wider", 4, 0, true, INIT_ZERO),
        declare("same", 2, 2, true, INIT_ZERO),
        declare("new", 1, 0, true, INIT_ONE),
    };
    parameters *from = create(from_items, 4), *to = create(to_items, 5);
    parameters_initialize(from, 1);
    parameters_initialize(to, 1);
    from->batches_tracked = 17;
    assert_int_equal(parameters_copy(to, from), 2);
    assert_memory_equal(
        to->value + to->item[parameters_find(to, "same")].offset, from->value, 4 * sizeof(float));
    assert_true(to->buffer[0] == 1.0f && to->buffer[1] == 1.0f);
    assert_true(to->value[to->item[parameters_find(to, "flat")].offset] == 0.0f);
    assert_true(to->value[to->item[parameters_find(to, "wider")].offset] == 0.0f);
    assert_true(to->value[to->item[parameters_find(to, "new")].offset] == 1.0f);
    assert_int_equal(to->batches_tracked, 17);
    parameters_destroy(from);
    parameters_destroy(to);
}

/* Two networks side by side: each alone has its own items, in p's memory. */
static void test_parts(void **state) {
    (void)state;
    parameter declared[] = {
        declare("a.weight", 2, 2, true, INIT_KAIMING),
        declare("a.mean", 3, 0, false, INIT_ZERO),
        declare("b.bias", 2, 0, true, INIT_UNIFORM),
        declare("twin.a.weight", 2, 2, true, INIT_KAIMING),
        declare("twin.a.mean", 3, 0, false, INIT_ZERO),
        declare("twin.b.bias", 2, 0, true, INIT_UNIFORM),
    };
    parameters *p = create(declared, 6), *part = NULL;
    parameters_initialize(p, 1);
    for (int within = 0; within < 2; within++) {
        assert_int_equal(parameters_part(&part, p, "twin.", within), STATUS_OK);
        assert_int_equal(part->items, 3);
        assert_int_equal(part->trainable, 2);
        assert_int_equal(part->count, 6);
        assert_int_equal(part->buffers, 3);
        assert_int_equal(parameters_find(part, "b.bias"), 1);
        assert_int_equal(parameters_find(part, "a.mean"), 2);
        assert_int_equal(part->item[1].offset, 4);
        assert_ptr_equal(part->value, p->value + 6 * within);
        assert_ptr_equal(part->buffer, p->buffer + 3 * within);
        parameters_part_destroy(part);
    }
    parameters_part_destroy(NULL);
    assert_memory_not_equal(p->value, p->value + 6, 6 * sizeof(float));
    parameters_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trainable_come_first),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_copy_wants_name_and_shape),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
