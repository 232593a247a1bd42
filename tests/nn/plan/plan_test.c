/* What a plan promises: the same bits however images are dealt, no work left for later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/nn/kernels/onednn.h"
#include "src/nn/plan/plan_state.h"
#include "tests/nn/plan/operators.h"

#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static plan_options options_of(const operator_case *c, dtype type, int threads) {
    return (plan_options){.height = HEIGHT,
        .width = WIDTH,
        .type = type,
        .mode = PLAN_TRAIN,
        .norm = c->norm,
        .group = GROUP,
        .images = IMAGES,
        .threads = threads};
}

static const operator_case *find_case(const char *name) {
    const operator_case *c = operator_cases;
    while (c->name && strcmp(c->name, name) != 0) c++;
    assert_non_null(c->name);
    return c;
}

/* Sums of the gradient after a batch, `deal` images at a time. */
static int64_t *batch_sums(
    const operator_case *c, dtype type, int threads, int deal, size_t *count) {
    operator_run r = operator_create(c, options_of(c, type, threads));
    operator_batch(&r, c, deal);
    *count = r.p->count;
    int64_t *sums = malloc(*count * sizeof *sums);
    assert_non_null(sums);
    memcpy(sums, r.sum, *count * sizeof *sums);
    operator_destroy(&r);
    return sums;
}

static void check_dealing(const operator_case *c, dtype type) {
    size_t count;
    int64_t *expected = batch_sums(c, type, 1, IMAGES, &count);
    int unit = c->norm == NORM_GROUP ? GROUP : c->norm == NORM_SYNC ? IMAGES : 1;
    for (int threads = 1; threads <= 3; threads++)
        for (int deal = unit; deal <= IMAGES; deal += threads * unit) {
            int64_t *sums = batch_sums(c, type, threads, deal, &count);
            if (memcmp(sums, expected, count * sizeof *sums) != 0)
                fail_msg("%s: other bits with %d threads, %d images", c->name, threads, deal);
            free(sums);
        }
    free(expected);
}

static void test_threads_and_dealing(void **state) {
    (void)state;
    static const char *const name[] = {
        "conv3", "residual_group", "residual_frozen", "norm_sync", "fan", "pyramid"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        check_dealing(find_case(name[i]), DTYPE_F32);
    if (plan_supports(DTYPE_BF16)) check_dealing(find_case("residual_group"), DTYPE_BF16);
}

/* ---- weight gradients of a unit's images at once ---- */

enum { LARGE = 128 };

/* Of one tap with a bias, of a kernel that sees much padding, after a global pool; a value that two
 * read, one that is an output, too. No norm. */
static void large(graph *g, value x) {
    x = graph_conv(g, x, "first", LARGE, (conv){.kernel = 1});
    value a = graph_conv(g, x, "a", LARGE, (conv){.kernel = 1, .bias = true});
    value b = graph_conv(g, a, "b", LARGE, (conv){.kernel = 3, .dilation = 3});
    value mean = graph_conv(g, graph_global_pool(g, x), "c", LARGE, (conv){.kernel = 1});
    graph_output(g, a);
    graph_output(g, graph_add(g, graph_add(g, b, graph_resize(g, mean, x), true), x, false));
}

static const operator_case large_case = {"large", NORM_GROUP, CHANNELS, large, true};

/* The gradient of a batch; group 1: units of one image, which are added from slots. */
static double *large_gradient(int group, int threads, int deal, size_t *count) {
    plan_options o = options_of(&large_case, DTYPE_F32, threads);
    o.group = group;
    operator_run r = operator_create(&large_case, o);
    int units = 0;
    for (value v = 0; v < r.plan->nodes; v++) units += r.plan->layer[v].units;
    assert_int_equal(units, group > 1 ? 3 : 0);
    operator_batch(&r, &large_case, deal);
    *count = r.p->count;
    double *x = malloc(*count * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < r.p->trainable; i++)
        for (size_t j = 0; j < r.p->item[i].count; j++) {
            size_t at = r.p->item[i].offset + j;
            x[at] = ldexp((double)r.sum[at], -r.gradient->scale[i]);
        }
    operator_destroy(&r);
    return x;
}

/* Units that are full, and a last one that is not; more units than slots (one thread has one) and
 * fewer; whole taps and parts of them. */
static void test_units(void **state) {
    (void)state;
    size_t count;
    double *slots = large_gradient(1, 1, IMAGES, &count), largest = 0;
    for (size_t j = 0; j < count; j++) largest = fmax(largest, fabs(slots[j]));
    for (int group = 2; group <= 3; group++) {
        double *one = large_gradient(group, 1, IMAGES, &count);
        for (size_t j = 0; j < count; j++) assert_true(fabs(one[j] - slots[j]) <= 2e-6 * largest);
        for (int threads = 1; threads <= 5; threads++)
            for (int deal = group; deal <= IMAGES; deal += IMAGES - group) {
                double *same = large_gradient(group, threads, deal, &count);
                assert_memory_equal(one, same, count * sizeof *same);
                free(same);
            }
        free(one);
    }
    free(slots);
}

/* ---- ranks under NORM_SYNC: two threads that exchange integers ---- */

typedef struct meeting {
    pthread_barrier_t barrier;
    int64_t x[2][6 * WIDE];
} meeting;

typedef struct rank {
    meeting *m;
    const operator_case *c;
    operator_run run;
    int first, images, number;
} rank;

/* What the other one has brought. */
static const int64_t *meet(rank *k, const int64_t *x, size_t n) {
    meeting *m = k->m;
    assert_true(n <= 6 * WIDE);
    pthread_barrier_wait(&m->barrier); /* what was brought before has been taken */
    memcpy(m->x[k->number], x, n * sizeof *x);
    pthread_barrier_wait(&m->barrier);
    return m->x[1 - k->number];
}

static void largest(void *context, int32_t *x, size_t n) {
    int64_t wide[6 * WIDE] = {0};
    for (size_t i = 0; i < n; i++) wide[i] = x[i];
    const int64_t *other = meet(context, wide, n);
    for (size_t i = 0; i < n; i++)
        if (other[i] > x[i]) x[i] = (int32_t)other[i];
}

static void sum(void *context, int64_t *x, size_t n) {
    const int64_t *other = meet(context, x, n);
    for (size_t i = 0; i < n; i++) x[i] += other[i];
}

static void *run_rank(void *argument) {
    rank *k = argument;
    step_context x = {.first = k->first, .exchange = {largest, sum, k, IMAGES}};
    operator_step(&k->run, k->first, k->images, &x);
    return NULL;
}

static void start_rank(rank *k, const gradient *scales) {
    k->run = operator_create(k->c, options_of(k->c, DTYPE_F32, 1));
    size_t n = (size_t)k->run.p->trainable * sizeof *scales->scale;
    memcpy(k->run.gradient->scale, scales->scale, n);
    gradient_begin(k->run.gradient, IMAGES);
    operator_fill(&k->run, k->c, k->first, k->images);
}

static void check_sync(int images_of_first) {
    const operator_case *c = find_case("norm_sync");
    operator_run whole = operator_create(c, options_of(c, DTYPE_F32, 1));
    operator_batch(&whole, c, IMAGES); /* measures the scales, */
    operator_batch(&whole, c, IMAGES); /* and predicts those of the next step */
    static meeting m;
    assert_int_equal(pthread_barrier_init(&m.barrier, NULL, 2), 0);
    rank k[] = {
        {.m = &m, .c = c, .images = images_of_first}, {.m = &m,
                                                          .c = c,
                                                          .first = images_of_first,
                                                          .images = IMAGES - images_of_first,
                                                          .number = 1}};
    pthread_t other;
    start_rank(&k[0], whole.gradient);
    start_rank(&k[1], whole.gradient);
    assert_int_equal(pthread_create(&other, NULL, run_rank, &k[1]), 0);
    run_rank(&k[0]);
    pthread_join(other, NULL);
    pthread_barrier_destroy(&m.barrier);
    operator_sums(&k[0].run);
    operator_sums(&k[1].run);
    for (size_t i = 0; i < whole.p->count; i++)
        assert_int_equal(k[0].run.sum[i] + k[1].run.sum[i], whole.sum[i]);
    operator_destroy(&k[0].run);
    operator_destroy(&k[1].run);
    operator_destroy(&whole);
}

static void test_sync_over_ranks(void **state) {
    (void)state;
    check_sync(2);
    check_sync(3);
    check_sync(IMAGES); /* the other rank has none */
}

/* ---- dropout ---- */

static void dropped(graph *g, value x) {
    graph_output(g, graph_dropout(g, graph_conv(g, x, "first", WIDE, (conv){.kernel = 1}), 0.25));
}

static const operator_case dropout_case = {"dropout", NORM_FROZEN, CHANNELS, dropped, false};
enum { EACH = HEIGHT * WIDTH * WIDE };

/* What stands at the output and in the gradient of the image after a step. */
static void drop(operator_run *r, int first, uint64_t step, float *kept) {
    step_context x = {.seed = 5, .step = step, .first = first};
    operator_fill(r, &dropout_case, 0, 1);
    for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) plan_input(r->plan, 0)[i] = 2;
    assert_int_equal(plan_forward(r->plan, 1, &x), STATUS_OK);
    memcpy(kept, plan_output(r->plan, 0, 0), EACH * sizeof *kept);
}

static void test_dropout(void **state) {
    (void)state;
    operator_run r = operator_create(&dropout_case, options_of(&dropout_case, DTYPE_F32, 1));
    float a[EACH], b[EACH];
    int zeros = 0, images = 200;
    for (int i = 0; i < images; i++) {
        drop(&r, i, 0, a);
        for (int j = 0; j < EACH; j++) {
            assert_true(a[j] == 0.0f || fabsf(a[j] - 1 / 0.75f) < 1e-6f);
            zeros += a[j] == 0.0f;
        }
    }
    /* Binomial: five standard deviations. */
    double n = (double)images * EACH, share = zeros / n;
    assert_true(fabs(share - 0.25) < 5 * sqrt(0.25 * 0.75 / n));
    drop(&r, 3, 7, a);
    drop(&r, 3, 7, b);
    assert_memory_equal(a, b, sizeof a);
    drop(&r, 4, 7, b);
    assert_memory_not_equal(a, b, sizeof a);
    drop(&r, 3, 8, b);
    assert_memory_not_equal(a, b, sizeof a);
    operator_destroy(&r);
}

/* The gradient passes where the value did: with a constant input, dW is a sum of the mask. */
static void test_dropout_gradient(void **state) {
    (void)state;
    operator_run r = operator_create(&dropout_case, options_of(&dropout_case, DTYPE_F32, 1));
    step_context x = {.seed = 5, .step = 1, .first = 2};
    float a[EACH];
    do {
        gradient_begin(r.gradient, 1);
        drop(&r, 2, 1, a);
        for (int i = 0; i < EACH; i++) plan_output_gradient(r.plan, 0, 0)[i] = 1;
        assert_int_equal(plan_backward(r.plan, 1, &x, r.gradient), STATUS_OK);
    } while (gradient_rescale(r.gradient));
    assert_int_equal(gradient_finish(r.gradient), STATUS_OK);
    for (int c = 0; c < WIDE; c++) {
        double sum = 0;
        for (int i = c; i < EACH; i += WIDE) sum += a[i];
        for (int k = 0; k < CHANNELS; k++)
            assert_true(fabs(r.gradient->value[c * CHANNELS + k] - 2 * sum) < 1e-3);
    }
    operator_destroy(&r);
}

static void test_dropout_is_identity_in_inference(void **state) {
    (void)state;
    plan_options o = options_of(&dropout_case, DTYPE_F32, 1);
    o.mode = PLAN_INFER;
    operator_run r = operator_create(&dropout_case, o);
    float a[EACH];
    drop(&r, 0, 0, a);
    for (int i = 0; i < EACH; i++) assert_true(a[i] == 1.0f);
    operator_destroy(&r);
}

/* ---- the rest ---- */

static void test_no_primitive_after_creation(void **state) {
    (void)state;
    const operator_case *c = find_case("residual_group");
    operator_run r = operator_create(c, options_of(c, DTYPE_F32, 2));
    int64_t created = onednn_primitives();
    operator_batch(&r, c, IMAGES);
    assert_int_equal(plan_pack(r.plan), STATUS_OK);
    operator_batch(&r, c, GROUP);
    assert_int_equal(onednn_primitives(), created);
    operator_destroy(&r);
}

/* Weights that change take effect with plan_pack, in every copy that the plan holds. */
static void test_pack(void **state) {
    (void)state;
    const operator_case *c = find_case("residual_frozen");
    operator_run a = operator_create(c, options_of(c, DTYPE_F32, 1));
    operator_run b = operator_create(c, options_of(c, DTYPE_F32, 1));
    for (size_t i = 0; i < a.p->count; i++) a.p->value[i] *= 1.25f;
    memcpy(b.p->value, a.p->value, a.p->count * sizeof *a.p->value);
    assert_int_equal(plan_pack(a.plan), STATUS_OK);
    plan *again;
    assert_int_equal(plan_create(&again, b.g, b.p, options_of(c, DTYPE_F32, 1)), STATUS_OK);
    plan_destroy(b.plan);
    b.plan = again;
    operator_batch(&a, c, IMAGES);
    operator_batch(&b, c, IMAGES);
    assert_memory_equal(a.sum, b.sum, a.p->count * sizeof(int64_t));
    operator_destroy(&a);
    operator_destroy(&b);
}

static void count_calls(void *context, size_t offset, size_t count) {
    (void)offset;
    *(size_t *)context += count;
}

static void test_every_parameter_is_reported(void **state) {
    (void)state;
    const operator_case *c = find_case("resize_down"); /* one weight gives no gradient */
    operator_run r = operator_create(c, options_of(c, DTYPE_F32, 1));
    size_t reported = 0;
    r.gradient->ready = count_calls;
    r.gradient->context = &reported;
    gradient_begin(r.gradient, IMAGES);
    step_context x = {.first = 0};
    operator_fill(&r, c, 0, IMAGES);
    operator_step(&r, 0, IMAGES, &x);
    assert_int_equal(reported, r.p->count);
    operator_step(&r, 0, 0, &x); /* a rank without images */
    assert_int_equal(reported, 2 * r.p->count);
    x.more = true; /* other waves add to them */
    operator_step(&r, 0, GROUP, &x);
    assert_int_equal(reported, 2 * r.p->count);
    x.more = false;
    operator_fill(&r, c, GROUP, GROUP);
    x.first = GROUP;
    operator_step(&r, GROUP, GROUP, &x);
    assert_int_equal(reported, 3 * r.p->count);
    operator_destroy(&r);
}

/* What is said of an image's memory without a plan is what plans of more images take more. */
static void test_image_bytes(void **state) {
    (void)state;
    static const char *const name[] = {"residual_group", "residual_frozen", "max_pool_ceil"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const operator_case *c = find_case(name[i]);
        plan_options few = options_of(c, DTYPE_F32, 1), many = few;
        few.group = many.group = 1;
        many.images = 40 + few.images;
        operator_run a = operator_create(c, few), b = operator_create(c, many);
        size_t each = 0;
        assert_int_equal(plan_image_bytes(a.g, a.p, many, &each), STATUS_OK);
        size_t more = plan_bytes(b.plan) - plan_bytes(a.plan);
        assert_int_equal(more, 40 * each);
        operator_destroy(&a);
        operator_destroy(&b);
    }
}

static void test_refuses_what_does_not_fit(void **state) {
    (void)state;
    const operator_case *c = find_case("max_pool_ceil");
    operator_run r = operator_create(c, options_of(c, DTYPE_F32, 1));
    plan_options o = options_of(c, DTYPE_F32, 1);
    o.height = 2;
    plan *p = NULL;
    assert_int_equal(plan_create(&p, r.g, r.p, o), STATUS_FAILED);
    assert_null(p);
    r.p->item[0].shape[0]++;
    assert_int_equal(plan_create(&p, r.g, r.p, options_of(c, DTYPE_F32, 1)), STATUS_FAILED);
    assert_null(p);
    operator_destroy(&r);
}

/* One image on a map of one pixel, in the batch or in a norm group; two have statistics. */
static void test_refuses_statistics_of_one_value(void **state) {
    (void)state;
    static const char *const name[] = {"norm_sync", "norm_group_relu"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const operator_case *c = find_case(name[i]);
        operator_run r = operator_create(c, options_of(c, DTYPE_F32, 1));
        plan_options o = options_of(c, DTYPE_F32, 1);
        plan *p = NULL;
        size_t each;
        o.height = o.width = o.images = o.group = 1;
        o.batch = 0;
        assert_int_equal(plan_create(&p, r.g, r.p, o), STATUS_USAGE);
        assert_int_equal(plan_image_bytes(r.g, r.p, o, &each), STATUS_USAGE);
        assert_null(p);
        o.batch = 3; /* a rank's one image of three; the last group has one of them */
        o.group = 2;
        assert_int_equal(plan_create(&p, r.g, r.p, o), i == 0 ? STATUS_OK : STATUS_USAGE);
        plan_destroy(p);
        p = NULL;
        o.batch = o.images = 2;
        assert_int_equal(plan_create(&p, r.g, r.p, o), STATUS_OK);
        plan_destroy(p);
        operator_destroy(&r);
    }
}

int main(void) {
    omp_set_num_threads(2); /* a plan must not depend on it */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_units),
        cmocka_unit_test(test_threads_and_dealing), cmocka_unit_test(test_sync_over_ranks),
        cmocka_unit_test(test_dropout), cmocka_unit_test(test_dropout_gradient),
        cmocka_unit_test(test_dropout_is_identity_in_inference),
        cmocka_unit_test(test_no_primitive_after_creation), cmocka_unit_test(test_pack),
        cmocka_unit_test(test_every_parameter_is_reported), cmocka_unit_test(test_image_bytes),
        cmocka_unit_test(test_refuses_what_does_not_fit),
        cmocka_unit_test(test_refuses_statistics_of_one_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
