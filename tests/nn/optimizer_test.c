#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Against PyTorch (tests/fixtures/make_sgd.py). */
static void test_steps_like_pytorch(void **state) {
    (void)state;
    const float expected[4][3] = {
        {0.4745f, -1.19875002f, 1.898f},
        {0.437787741f, -1.15008819f, 1.85115099f},
        {0.39061445f, -1.10384107f, 1.85575783f},
        {0.333674848f, -1.05984831f, 1.90840352f},
    };
    parameter declared = {.name = "w", .dims = 1, .shape = {3}, .trainable = true, .decay = true};
    parameters *p = NULL;
    sgd s;
    assert_int_equal(parameters_from(&p, &declared, 1), STATUS_OK);
    assert_int_equal(sgd_create(&s, p, 0.9, 0.01), STATUS_OK);
    memcpy(p->value, (float[]){0.5f, -1.25f, 2.0f}, 3 * sizeof(float));
    for (int step = 0; step < 4; step++) {
        float now = (float)step, gradient[] = {0.25f * (now + 1.0f), -0.5f, 1.0f - now};
        double rate[] = {0.1 / (step + 1), 0.0};
        sgd_step(&s, p, gradient, rate);
        for (int i = 0; i < 3; i++)
            assert_true(fabsf(p->value[i] - expected[step][i]) <= 2e-7f * fabsf(expected[step][i]));
    }
    sgd_destroy(&s);
    parameters_destroy(p);
}

/* Norms and biases do not decay; each group has its rate; statistics are no business of SGD. */
static void test_groups_and_decay(void **state) {
    (void)state;
    enum { N = 70000 }; /* more than one thread's share */
    parameter declared[] = {
        {.name = "a", .dims = 1, .shape = {N}, .trainable = true, .decay = true},
        {.name = "b", .dims = 1, .shape = {1}, .trainable = true, .group = GROUP_HEAD},
        {.name = "c", .dims = 1, .shape = {1}, .trainable = false},
    };
    parameters *p = NULL;
    sgd s;
    assert_int_equal(parameters_from(&p, declared, 3), STATUS_OK);
    assert_int_equal(sgd_create(&s, p, 0.0, 0.5), STATUS_OK);
    float *gradient = malloc((N + 1) * sizeof *gradient);
    for (int i = 0; i <= N; i++) {
        p->value[i] = 2.0f;
        gradient[i] = 1.0f;
    }
    p->buffer[0] = 2.0f;
    sgd_step(&s, p, gradient, (double[]){0.25, 0.5});
    for (int i = 0; i < N; i++) assert_true(p->value[i] == 1.5f);
    assert_true(p->value[N] == 1.5f);
    assert_true(p->buffer[0] == 2.0f);
    free(gradient);
    sgd_destroy(&s);
    sgd_destroy(NULL);
    parameters_destroy(p);
}

static void test_schedules(void **state) {
    (void)state;
    const struct {
        schedule_kind kind;
        int64_t step, steps, warmup;
        double power, factor;
    } cases[] = {
        {SCHEDULE_CONSTANT, 0, 10, 0, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 9, 10, 0, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 0, 10, 3, 0.9, 0.25},
        {SCHEDULE_CONSTANT, 2, 10, 3, 0.9, 0.75},
        {SCHEDULE_CONSTANT, 3, 10, 3, 0.9, 1.0},
        {SCHEDULE_CONSTANT, 1, 2, 4, 0.9, 0.4},
        {SCHEDULE_POLYNOMIAL, 0, 100, 0, 0.9, 1.0},
        {SCHEDULE_POLYNOMIAL, 50, 100, 0, 2.0, 0.25},
        {SCHEDULE_POLYNOMIAL, 60, 100, 20, 1.0, 0.5},
        {SCHEDULE_COSINE, 0, 100, 0, 0.0, 1.0},
        {SCHEDULE_COSINE, 25, 100, 0, 0.0, 0.85355339059327373},
        {SCHEDULE_COSINE, 60, 100, 20, 0.0, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double f = schedule_factor(
            cases[i].kind, cases[i].step, cases[i].steps, cases[i].warmup, cases[i].power);
        assert_true(fabs(f - cases[i].factor) < 1e-14);
    }
}

static void test_norm(void **state) {
    (void)state;
    float x[19] = {3.0f, [10] = -4.0f, [18] = 12.0f};
    assert_true(gradient_norm(x, 19) == 13.0);
    assert_true(gradient_norm(x, 18) == 5.0);
    assert_true(gradient_norm(x, 0) == 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_like_pytorch),
        cmocka_unit_test(test_groups_and_decay),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
