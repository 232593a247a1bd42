/* Every operator, forward and backward, against PyTorch in float64 (tests/fixtures). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/nn/plan/operators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 };

typedef struct record {
    char name[NAME];
    int32_t count;
    float *x;
} record;

static record fixture[256];
static int records;

static int load_fixture(void **state) {
    (void)state;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/operators.bin", "rb");
    if (!f) return -1;
    while (records < 256 && fread(fixture[records].name, NAME, 1, f) == 1) {
        record *r = &fixture[records++];
        if (fread(&r->count, sizeof r->count, 1, f) != 1) break;
        size_t count = (size_t)r->count;
        r->x = malloc(count * sizeof *r->x);
        if (!r->x || fread(r->x, sizeof *r->x, count, f) != count) break;
    }
    fclose(f);
    return 0;
}

static int free_fixture(void **state) {
    (void)state;
    for (int i = 0; i < records; i++) free(fixture[i].x);
    return 0;
}

/* Relative error in the L2 norm against the record of this name. */
static double error_of(const char *test, const char *tensor, const float *x, size_t count) {
    char name[2 * NAME];
    snprintf(name, sizeof name, "%s/%s", test, tensor);
    int i = 0;
    while (i < records && strcmp(fixture[i].name, name) != 0) i++;
    if (i == records) fail_msg("no record %s", name);
    assert_int_equal(fixture[i].count, count);
    double difference = 0, size = 0;
    for (size_t j = 0; j < count; j++) {
        double d = (double)x[j] - fixture[i].x[j];
        difference += d * d;
        size += (double)fixture[i].x[j] * fixture[i].x[j];
    }
    return size > 0 ? sqrt(difference / size) : sqrt(difference);
}

static void expect(
    const char *test, const char *tensor, const float *x, size_t count, double tolerance) {
    double error = error_of(test, tensor, x, count);
    if (!(error <= tolerance)) {
        print_error("%s/%s: relative error %.2e, at most %.0e\n", test, tensor, error, tolerance);
        fail();
    }
}

/* Running statistics, moved unit after unit. */
static void check_statistics(const operator_case *c, const operator_run *r, double tolerance) {
    int units = plan_units(r->plan, IMAGES);
    double *moments = malloc((size_t)units * plan_moments_width(r->plan) * sizeof *moments);
    assert_non_null(moments);
    plan_moments(r->plan, moments);
    moment_sums sums;
    assert_int_equal(moment_sums_create(&sums, plan_moments_width(r->plan)), STATUS_OK);
    moment_sums_begin(&sums, moments, units);
    moment_sums_add(&sums, moments, units, 0);
    plan_commit(r->plan, &sums, units);
    moment_sums_destroy(&sums);
    free(moments);
    assert_int_equal(r->p->batches_tracked, units);
    for (int i = r->p->trainable; i < r->p->items; i++) {
        const parameter *item = &r->p->item[i];
        expect(c->name, item->name, r->p->buffer + item->offset, item->count, tolerance);
    }
}

static void check_outputs(const operator_case *c, const operator_run *r, double tolerance) {
    char name[NAME];
    for (int i = 0; i < graph_outputs(r->g); i++) {
        int h, w, channels;
        plan_output_shape(r->plan, i, &h, &w, &channels);
        snprintf(name, sizeof name, "output%d", i);
        expect(c->name, name, plan_output(r->plan, i, 0), (size_t)(IMAGES * h * w * channels),
            tolerance);
    }
}

/* With folded norms, fused layers, memory used again. */
static void check_inference(const operator_case *c, dtype type, double tolerance) {
    plan_options o = {.height = HEIGHT,
        .width = WIDTH,
        .type = type,
        .mode = PLAN_INFER,
        .images = IMAGES,
        .threads = 2};
    operator_run r = operator_create(c, o);
    operator_fill(&r, c, 0, IMAGES);
    assert_int_equal(plan_forward(r.plan, IMAGES, NULL), STATUS_OK);
    check_outputs(c, &r, tolerance);
    operator_destroy(&r);
}

static void check_case(const operator_case *c, dtype type, double tolerance) {
    plan_options o = {.height = HEIGHT,
        .width = WIDTH,
        .type = type,
        .mode = PLAN_TRAIN,
        .norm = c->norm,
        .group = GROUP,
        .images = IMAGES,
        .threads = 2};
    operator_run r = operator_create(c, o);
    operator_batch(&r, c, IMAGES);
    check_outputs(c, &r, tolerance);
    for (int i = 0; i < r.p->trainable; i++) {
        const parameter *item = &r.p->item[i];
        expect(c->name, item->name, r.gradient->value + item->offset, item->count, tolerance);
    }
    if (c->norm != NORM_FROZEN) check_statistics(c, &r, tolerance);
    operator_destroy(&r);
}

static void test_f32(void **state) {
    (void)state;
    for (const operator_case *c = operator_cases; c->name; c++) check_case(c, DTYPE_F32, 1e-5);
}

static void test_bf16(void **state) {
    (void)state;
    if (!plan_supports(DTYPE_BF16)) skip();
    for (const operator_case *c = operator_cases; c->name; c++)
        if (!c->chain) check_case(c, DTYPE_BF16, 1e-2);
}

static void test_inference(void **state) {
    (void)state;
    bool bf16 = plan_supports(DTYPE_BF16);
    for (const operator_case *c = operator_cases; c->name; c++) {
        if (c->norm != NORM_FROZEN) continue;
        check_inference(c, DTYPE_F32, 1e-5);
        if (bf16) check_inference(c, DTYPE_BF16, c->chain ? 3e-2 : 1e-2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16), cmocka_unit_test(test_inference)};
    return cmocka_run_group_tests(tests, load_fixture, free_fixture);
}
