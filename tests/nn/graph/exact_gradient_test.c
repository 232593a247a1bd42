#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/nn/graph/exact_gradient.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 12, BIG = 10007, SMALL = 5, COUNT = BIG + SMALL };

static parameters *two_parameters(void) {
    parameter declared[] = {
        {.name = "big", .dims = 1, .shape = {BIG}, .trainable = true},
        {.name = "small", .dims = 1, .shape = {SMALL}, .trainable = true},
    };
    parameters *p = NULL;
    assert_int_equal(parameters_from(&p, declared, 2), STATUS_OK);
    return p;
}

/* Gradient of a unit; magnitudes spread over some powers of two. x [COUNT]. */
static void unit_gradient(float *x, int unit, double scale) {
    random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)unit);
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)(scale * random_normal(&r) * exp(-6.0 * random_uniform(&r)));
}

/* Adds units in the order first, first + step, ..., each big gradient in pieces. */
static void add_units(gradient *g, int first, int step, size_t piece, double scale) {
    float *x = malloc(COUNT * sizeof *x);
    gradient_begin(g, UNITS);
    gradient_open(g, 0);
    gradient_open(g, 1);
    for (int n = 0; n < UNITS; n++) {
        unit_gradient(x, (first + n * step) % UNITS, scale);
        for (size_t i = 0; i < BIG; i += piece)
            gradient_add(g, 0, x, i, i + piece < BIG ? i + piece : BIG);
        gradient_add(g, 1, x + BIG, 0, SMALL);
    }
    free(x);
}

/* The sums so far of parameters that are open. sum [COUNT]. */
static void copy_sums(const gradient *g, int64_t *sum) {
    for (int k = 0; k < g->chunks.count; k++) {
        const gradient_chunk *c = &g->chunks.at[k];
        assert_non_null(c->sum);
        memcpy(sum + c->offset, c->sum, c->count * sizeof *sum);
    }
}

static void assert_near_exact(const gradient *g, double scale) {
    float *x = malloc(COUNT * sizeof *x);
    double *exact = calloc(COUNT, sizeof *exact), error = 0.0, norm = 0.0;
    for (int u = 0; u < UNITS; u++) {
        unit_gradient(x, u, scale);
        for (int i = 0; i < COUNT; i++) exact[i] += x[i];
    }
    for (int i = 0; i < COUNT; i++) {
        error += (g->value[i] - exact[i]) * (g->value[i] - exact[i]);
        norm += exact[i] * exact[i];
    }
    assert_true(error <= norm * 1e-14);
    free(x);
    free(exact);
}

static void test_any_order_gives_the_same_bits(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    add_units(g, 0, 1, BIG, 1.0);
    assert_true(gradient_rescale(g)); /* unknown scales are measured */
    add_units(g, 0, 1, BIG, 1.0);
    assert_false(gradient_rescale(g));
    int64_t *first = malloc(COUNT * sizeof *first), *second = malloc(COUNT * sizeof *second);
    copy_sums(g, first);
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_near_exact(g, 1.0);

    add_units(g, 5, 7, 333, 1.0);
    assert_false(gradient_rescale(g));
    copy_sums(g, second);
    assert_memory_equal(first, second, COUNT * sizeof *first);
    free(first);
    free(second);
    gradient_destroy(g);
    parameters_destroy(p);
}

/* After a step at scale 1: does a step of another size need a repeat, and is it then right? */
static void check_step(double scale, bool repeats) {
    parameters *p = two_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    add_units(g, 0, 1, BIG, 1.0);
    gradient_rescale(g);
    add_units(g, 0, 1, BIG, 1.0);
    assert_int_equal(gradient_finish(g), STATUS_OK);
    add_units(g, 0, 1, BIG, scale);
    assert_int_equal(gradient_rescale(g), repeats);
    if (repeats) add_units(g, 0, 1, BIG, scale);
    assert_false(gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_near_exact(g, scale);
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_scales_follow(void **state) {
    (void)state;
    check_step(0x1p9, false);
    check_step(0x1p12, true);
    check_step(0x1p100, true);
    check_step(0x1p-10, false);
    check_step(0x1p-20, true);
    check_step(0x1p-100, true);
}

/* Values at a scale's very edge: 2^e - ulp fits, 2^e does not. */
static void test_overflow_is_exact(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    const float below[SMALL] = {1.0f - FLT_EPSILON / 2, -1.0f + FLT_EPSILON / 2},
                at[SMALL] = {1.0f};
    g->scale[0] = g->scale[1] = 51;
    gradient_begin(g, 1);
    gradient_open(g, 1);
    gradient_add(g, 1, below, 0, SMALL);
    assert_int_equal(g->exponent[1], 0);
    assert_false(gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
    assert_memory_equal(g->value + BIG, below, sizeof below);
    g->scale[1] = 51;
    gradient_begin(g, 1);
    gradient_open(g, 1);
    gradient_add(g, 1, at, 0, SMALL);
    assert_int_equal(g->exponent[1], 1);
    assert_true(gradient_rescale(g));
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_extremes_and_zero(void **state) {
    (void)state;
    parameters *p = two_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    const float rows[][SMALL] = {
        {FLT_MAX, -FLT_MAX, 0.0f, 0x1p120f, -0x1p110f},
        {FLT_MIN, -FLT_MIN, 0x1p-149f, -0x1p-149f, 0.0f},
        {0.0f, -0.0f, 0.0f, 0.0f, 0.0f},
    };
    for (int row = 0; row < 3; row++) {
        for (int i = 0; i < 2; i++) {
            gradient_begin(g, 1);
            gradient_open(g, 1);
            gradient_add(g, 1, rows[row], 0, SMALL);
            /* Zeros are exact at any scale; nothing has to be repeated for them. */
            assert_int_equal(gradient_rescale(g), i == 0 && row < 2);
        }
        assert_int_equal(gradient_finish(g), STATUS_OK);
        for (int i = 0; i < SMALL; i++) assert_true(g->value[BIG + i] == rows[row][i]);
        for (int i = 0; i < BIG; i++) assert_true(g->value[i] == 0.0f);
    }
    gradient_destroy(g);
    parameters_destroy(p);
}

static void test_nonfinite_is_refused(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        parameters *p = two_parameters();
        gradient *g = gradient_create(p, GRADIENT_CHUNK);
        float x[SMALL] = {1.0f, 0.5f, bad[i], 0.25f, -1.0f};
        g->scale[1] = 40;
        gradient_begin(g, 1);
        gradient_open(g, 1);
        gradient_add(g, 1, x, 0, SMALL);
        assert_int_equal(g->exponent[1], 1);
        assert_false(gradient_rescale(g));
        int64_t sum[COUNT] = {0};
        copy_sums(g, sum);
        assert_int_equal(sum[BIG + 1], (int64_t)1 << 39);
        assert_int_equal(sum[BIG + 2], 0);
        assert_int_equal(gradient_finish(g), STATUS_NONFINITE);
        assert_string_equal(gradient_fault(g), p->item[1].name);
        assert_int_equal(g->scale[1], 40); /* nothing of the run's state has changed */
        gradient_destroy(g);
        parameters_destroy(p);
    }
}

static void note_ready(void *context, size_t offset, size_t count) {
    size_t *seen = context;
    seen[0] = offset;
    seen[1] = count;
}

static void test_ready_calls_the_hook(void **state) {
    (void)state;
    size_t seen[2] = {0};
    parameters *p = two_parameters();
    gradient *g = gradient_create(p, GRADIENT_CHUNK);
    gradient_ready(g, 1); /* no hook: nothing happens */
    g->ready = note_ready;
    g->context = seen;
    gradient_ready(g, 1);
    assert_int_equal(seen[0], BIG);
    assert_int_equal(seen[1], SMALL);
    gradient_destroy(g);
    gradient_destroy(NULL);
    parameters_destroy(p);
}

/* ---- chunks ---- */

enum { ITEMS = 6, MANY = 200003 + 5 + 40000 + 17 + 16384 + 70001 };

/* Large ones lie over several chunks of one block; small ones share theirs. */
static parameters *many_parameters(void) {
    const int64_t size[ITEMS] = {200003, 5, 40000, 17, 16384, 70001};
    parameter declared[ITEMS];
    memset(declared, 0, sizeof declared);
    for (int i = 0; i < ITEMS; i++) {
        declared[i].name[0] = (char)('a' + i);
        declared[i].dims = 1;
        declared[i].shape[0] = size[i];
        declared[i].trainable = true;
    }
    parameters *p = NULL;
    assert_int_equal(parameters_from(&p, declared, ITEMS), STATUS_OK);
    assert_int_equal(p->count, MANY);
    return p;
}

/* What converts chunks early: the elements of each that are not ready yet. */
typedef struct converter {
    gradient *g;
    size_t missing[64];
    int most; /* chunks held at once */
} converter;

/* As between ranks: a part here, and the rest written by somebody else, who has all sums. Parts end
 * within blocks. */
static void convert_in_parts(gradient *g, int k) {
    const gradient_chunk *c = &g->chunks.at[k];
    size_t n = c->count, begin = n / 3, end = n - n / 5;
    float *value = gradient_values(g, k), *rest = malloc(n * sizeof *rest);
    bool held = c->sum;
    int64_t *sum = malloc(n * sizeof *sum);
    if (held) memcpy(sum, c->sum, n * sizeof *sum);
    gradient_convert(g, k, 0, n);
    memcpy(rest, value, n * sizeof *rest);
    /* Once more, from the same sums. */
    memset(value, 0xFF, n * sizeof *value);
    g->chunks.at[k].done = false;
    if (held) gradient_chunks_take(&g->chunks, k);
    if (held) memcpy(c->sum, sum, n * sizeof *sum);
    gradient_convert(g, k, begin, end);
    assert_memory_equal(value + begin, rest + begin, (end - begin) * sizeof *rest);
    memcpy(value, rest, begin * sizeof *rest);
    memcpy(value + end, rest + end, (n - end) * sizeof *rest);
    gradient_complete(g, k);
    free(rest);
    free(sum);
}

static void convert_ready(void *context, size_t offset, size_t count) {
    converter *c = context;
    const gradient_chunks *chunks = &c->g->chunks;
    if (chunks->held > c->most) c->most = chunks->held;
    for (size_t i = offset; i < offset + count; i++)
        for (int k = 0; k < chunks->count; k++) {
            const gradient_chunk *chunk = &chunks->at[k];
            if (i < chunk->offset || i >= chunk->offset + chunk->count) continue;
            if (--c->missing[k] == 0) convert_in_parts(c->g, k);
        }
}

/* A step of three units, from the last item to the first; item 2 gets no gradient. */
static void chunk_step(gradient *g, converter *early) {
    float *x = malloc(MANY * sizeof *x);
    gradient_begin(g, 3);
    for (int k = 0; early && k < g->chunks.count; k++) early->missing[k] = g->chunks.at[k].count;
    for (int i = ITEMS - 1; i >= 0; i--) {
        const parameter *item = &g->parameters->item[i];
        if (i != 2) gradient_open(g, i);
        for (int u = 0; u < 3 && i != 2; u++) {
            random_stream r = random_begin(1, RANDOM_SYNTH, (uint64_t)i, (uint64_t)u);
            for (size_t j = 0; j < item->count; j++) x[j] = (float)random_normal(&r);
            for (size_t j = 0; j < item->count; j += 33333) /* over the borders of chunks */
                gradient_add(g, i, x, j, j + 33333 < item->count ? j + 33333 : item->count);
        }
        gradient_ready(g, i);
    }
    free(x);
}

/* Two steps; value [MANY]. Returns how many chunks were held at most. */
static int chunk_values(size_t bytes, bool early, float *value, double *square) {
    parameters *p = many_parameters();
    gradient *g = gradient_create(p, bytes);
    assert_non_null(g);
    converter c = {.g = g};
    assert_in_range(g->chunks.count, 1, 63);
    if (early) {
        g->ready = convert_ready;
        g->context = &c;
    }
    for (int step = 0; step < 2; step++) {
        do chunk_step(g, early ? &c : NULL);
        while (gradient_rescale(g));
        assert_int_equal(gradient_finish(g), STATUS_OK);
        assert_int_equal(g->chunks.held, 0);
    }
    memcpy(value, g->value, MANY * sizeof *value);
    memcpy(square, g->square, ITEMS * sizeof *square);
    int most = g->chunks.most;
    if (early) assert_int_equal(most, c.most);
    assert_true(gradient_bytes(g) >= MANY * sizeof(float) + (size_t)most * g->chunks.piece * 8);
    gradient_destroy(g);
    parameters_destroy(p);
    return most;
}

static void test_any_chunks_give_the_same_bits(void **state) {
    (void)state;
    const size_t bytes[] = {1, 3 * PARAMETER_BLOCK * 8 + 100, (size_t)1 << 40};
    float *expected = malloc(MANY * sizeof *expected), *value = malloc(MANY * sizeof *value);
    double norms[ITEMS], square[ITEMS];
    chunk_values(GRADIENT_CHUNK, false, expected, norms);
    assert_true(norms[0] > 0 && norms[2] == 0);
    for (int i = 0; i < 6; i++) {
        chunk_values(bytes[i / 2], i % 2, value, square);
        assert_memory_equal(value, expected, MANY * sizeof *value);
        assert_memory_equal(square, norms, sizeof norms);
    }
    free(expected);
    free(value);
}

/* With chunks converted as they become ready, no more are held than the largest parameter needs. */
static void test_few_chunks_are_held(void **state) {
    (void)state;
    float *value = malloc(MANY * sizeof *value);
    double square[ITEMS];
    int largest = (200003 + PARAMETER_BLOCK - 1) / PARAMETER_BLOCK;
    assert_int_equal(chunk_values(1, true, value, square), largest);
    assert_in_range(chunk_values(1, false, value, square), largest + 5, 63);
    free(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order_gives_the_same_bits),
        cmocka_unit_test(test_scales_follow),
        cmocka_unit_test(test_overflow_is_exact),
        cmocka_unit_test(test_extremes_and_zero),
        cmocka_unit_test(test_nonfinite_is_refused),
        cmocka_unit_test(test_ready_calls_the_hook),
        cmocka_unit_test(test_any_chunks_give_the_same_bits),
        cmocka_unit_test(test_few_chunks_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
