#include "src/nn/graph/optimizer.h"
#include "src/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network's parameters, their gradient and an optimiser. */
typedef struct bench {
    parameters *p;
    gradient *g;
    optimizer o;
} bench;

static void begin(bench *b, const parameter *declared, int n, const optimizer_options *options) {
    assert_int_equal(parameters_from(&b->p, declared, n), STATUS_OK);
    b->g = gradient_create(b->p, GRADIENT_CHUNK);
    assert_non_null(b->g);
    assert_int_equal(optimizer_create(&b->o, b->p, options), STATUS_OK);
}

static void end(bench *b) {
    optimizer_destroy(&b->o);
    gradient_destroy(b->g);
    parameters_destroy(b->p);
}

/* x [count] becomes the finished gradient of a batch of one unit. */
static void finish(gradient *g, const float *x) {
    do {
        gradient_begin(g, 1);
        for (int i = 0; i < g->parameters->trainable; i++) {
            const parameter *item = &g->parameters->item[i];
            gradient_open(g, i);
            gradient_add(g, i, x + item->offset, 0, item->count);
        }
    } while (gradient_rescale(g));
    assert_int_equal(gradient_finish(g), STATUS_OK);
}

static void read_floats(FILE *f, float *x, int n) {
    for (int i = 0; i < n; i++) assert_int_equal(fscanf(f, "%f", &x[i]), 1);
}

static void assert_near(const float *have, const float *want, int n, const char *kind, int step) {
    for (int i = 0; i < n; i++)
        if (!(fabsf(have[i] - want[i]) <= 4e-7f * (1.0f + fabsf(want[i]))))
            fail_msg("%s, step %d, element %d: %.9g, not %.9g", kind, step, i, (double)have[i],
                (double)want[i]);
}

/* One case of tests/fixtures/make_optimizer.py. */
static void follow(FILE *f, const optimizer_options *o) {
    enum { STEPS = 5, WEIGHTS = 15, BIASES = 7, ALL = WEIGHTS + BIASES };
    const parameter declared[] = {
        {.name = "w", .dims = 2, .shape = {3, 5}, .trainable = true, .decay = true},
        {.name = "b", .dims = 1, .shape = {BIASES}, .trainable = true, .group = GROUP_HEAD},
    };
    float x[ALL], norm, rates[2];
    bench b;
    begin(&b, declared, 2, o);
    read_floats(f, b.p->value, ALL);
    for (int step = 0; step < STEPS; step++) {
        read_floats(f, rates, 2);
        read_floats(f, x, ALL);
        finish(b.g, x);
        optimizer_step(&b.o, b.p, b.g, (double[]){rates[0], rates[1]}, step);
        read_floats(f, &norm, 1);
        assert_true(fabs(gradient_norm(b.g) / (double)norm - 1) < 1e-6);
        read_floats(f, x, ALL);
        assert_near(b.p->value, x, ALL, optimizer_name(o->kind), step);
    }
    end(&b);
}

static optimizer_kind find_kind(const char *name) {
    int k = 0;
    while (strcmp(optimizer_name((optimizer_kind)k), name) != 0) k++;
    return (optimizer_kind)k;
}

static void test_steps_like_pytorch(void **state) {
    (void)state;
    char kind[16];
    int cases = 0;
    optimizer_options o = {0};
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/optimizer.txt", "r");
    assert_non_null(f);
    while (fscanf(f, "%15s %lf %lf %lf %lf %lf %lf", kind, &o.momentum, &o.decay, &o.beta1,
               &o.beta2, &o.epsilon, &o.clip) == 7) {
        o.kind = find_kind(kind);
        follow(f, &o);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 6);
}

enum { LARGE = 40000, SMALL = 9, NONE = 5, EVERY = LARGE + SMALL + NONE };
/* Over several blocks; without decay; all zero. */
static const parameter three[] = {
    {.name = "large", .dims = 2, .shape = {200, 200}, .trainable = true, .decay = true},
    {.name = "small", .dims = 1, .shape = {SMALL}, .trainable = true, .group = GROUP_HEAD},
    {.name = "none", .dims = 1, .shape = {NONE}, .trainable = true, .decay = true},
    {.name = "mean", .dims = 1, .shape = {1}, .trainable = false},
};
static const double both[2] = {0.25, 0.5};

static void draw(float *x, int n, int step) {
    random_stream r = random_begin(1, RANDOM_SYNTH, (uint64_t)step, 0);
    for (int i = 0; i < n; i++) x[i] = (float)random_normal(&r);
}

static double norm(const float *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sqrt(sum);
}

/* You, Gitman, Ginsburg 2017, algorithm 1, a tensor at a time, in float64. */
static void lars_tensor(const optimizer_options *o, const parameter *item, const float *g,
    double clip, double rate, double *w, double *m) {
    double ww = 0, gg = 0, decay = item->decay ? o->decay : 0, local = 1;
    for (size_t i = 0; i < item->count; i++) {
        ww += w[i] * w[i];
        gg += clip * g[i] * clip * g[i];
    }
    if (item->decay && ww > 0) local = o->trust * sqrt(ww) / (sqrt(gg) + decay * sqrt(ww));
    for (size_t i = 0; i < item->count; i++) {
        m[i] = o->momentum * m[i] + rate * local * (clip * g[i] + decay * w[i]);
        w[i] -= m[i];
    }
}

static void test_lars(void **state) {
    (void)state;
    const optimizer_options o = {
        .kind = OPTIMIZER_LARS, .momentum = 0.9, .decay = 1e-3, .trust = 0.02, .clip = 150};
    static float g[EVERY];
    static double w[EVERY], m[EVERY];
    bench b;
    begin(&b, three, 4, &o);
    draw(b.p->value, LARGE + SMALL, 99);
    for (int i = 0; i < EVERY; i++) w[i] = (double)b.p->value[i];
    for (int step = 0; step < 4; step++) {
        draw(g, LARGE + SMALL, step);
        double clip = fmin(1, o.clip / (norm(g, EVERY) + 1e-6));
        assert_true(clip < 0.8);
        finish(b.g, g);
        optimizer_step(&b.o, b.p, b.g, both, step);
        for (int i = 0; i < 3; i++) {
            const parameter *item = &b.p->item[i];
            size_t at = item->offset;
            lars_tensor(&o, item, g + at, clip, both[item->group], w + at, m + at);
        }
        for (int i = 0; i < EVERY; i++)
            assert_true(fabs((double)b.p->value[i] - w[i]) <= 1e-6 * (1 + fabs(w[i])));
    }
    for (int i = LARGE + SMALL; i < EVERY; i++) assert_true(b.p->value[i] == 0.0f);
    end(&b);
}

/* Norms and biases do not decay; each group has its rate; statistics are no business of ours. */
static void test_groups_and_decay(void **state) {
    (void)state;
    static float g[EVERY];
    const struct {
        optimizer_options o;
        float large, small;
    } cases[] = {
        {{.kind = OPTIMIZER_SGD, .decay = 0.5}, 1.5f, 1.5f},
        /* A tensor's rate is 1 * 2 / (1 + 0.5 * 2). */
        {{.kind = OPTIMIZER_LARS, .decay = 0.5, .trust = 1}, 1.5f, 1.5f},
        /* The first step of Adam is the rate. */
        {{.kind = OPTIMIZER_ADAMW, .decay = 0.5, .epsilon = 1e-12}, 1.5f, 1.5f},
    };
    for (int i = 0; i < EVERY; i++) g[i] = 1.0f;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bench b;
        begin(&b, three, 4, &cases[c].o);
        for (int i = 0; i < EVERY; i++) b.p->value[i] = 2.0f;
        b.p->buffer[0] = 2.0f;
        finish(b.g, g);
        optimizer_step(&b.o, b.p, b.g, both, 0);
        for (int i = 0; i < LARGE; i++) assert_true(fabsf(b.p->value[i] - cases[c].large) < 1e-6f);
        for (int i = 0; i < SMALL; i++)
            assert_true(fabsf(b.p->value[LARGE + i] - cases[c].small) < 1e-6f);
        assert_true(b.p->buffer[0] == 2.0f);
        end(&b);
    }
    optimizer_destroy(NULL);
}

/* The first, the last and a middle element of a weight or a state that is not finite is told, by
 * every optimiser; one that is large is not. */
static void test_tells_what_is_not_finite(void **state) {
    (void)state;
    static float g[EVERY];
    const optimizer_kind kinds[] = {OPTIMIZER_SGD, OPTIMIZER_LARS, OPTIMIZER_ADAMW};
    const int at[] = {0, LARGE / 2 + 3, LARGE - 1, LARGE + SMALL - 1, EVERY - 1};
    const float bad[] = {NAN, -INFINITY, INFINITY};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 5; i++)
            for (int place = 0; place < 3; place++) {
                const optimizer_options o = {.kind = kinds[k],
                    .momentum = 0.9,
                    .trust = 1,
                    .beta1 = 0.9,
                    .beta2 = 0.9,
                    .epsilon = 1};
                bench b;
                begin(&b, three, 4, &o);
                draw(g, EVERY, 1);
                finish(b.g, g);
                b.p->value[at[i]] = 1e30f;
                assert_true(optimizer_step(&b.o, b.p, b.g, both, 0));
                if (place < b.o.states)
                    b.o.state[place][at[i]] = bad[i % 3];
                else
                    b.p->value[at[i]] = bad[i % 3];
                assert_false(optimizer_step(&b.o, b.p, b.g, both, 1));
                end(&b);
            }
}

/* Parameters and state after three steps with this many threads. */
static void run(const optimizer_options *o, int threads, float *to) {
    static float g[EVERY];
    bench b;
    omp_set_num_threads(threads);
    begin(&b, three, 4, o);
    draw(b.p->value, EVERY, 99);
    for (int step = 0; step < 3; step++) {
        draw(g, EVERY, step);
        finish(b.g, g);
        optimizer_step(&b.o, b.p, b.g, both, step);
    }
    memcpy(to, b.p->value, EVERY * sizeof *to);
    for (int i = 0; i < b.o.states; i++)
        memcpy(to + (i + 1) * EVERY, b.o.state[i], EVERY * sizeof *to);
    end(&b);
}

static void test_any_number_of_threads(void **state) {
    (void)state;
    static float one[3 * EVERY], many[3 * EVERY];
    int threads = omp_get_max_threads();
    for (int kind = OPTIMIZER_SGD; kind <= OPTIMIZER_ADAMW; kind++) {
        const optimizer_options o = {.kind = (optimizer_kind)kind,
            .decay = 0.01,
            .clip = 20,
            .momentum = 0.9,
            .trust = 0.01,
            .beta1 = 0.9,
            .beta2 = 0.999,
            .epsilon = 1e-8};
        run(&o, 1, one);
        for (int n = 2; n <= 3; n++) {
            run(&o, n, many);
            assert_memory_equal(one, many, sizeof one);
        }
    }
    omp_set_num_threads(threads);
}

static void test_names(void **state) {
    (void)state;
    bench b;
    begin(&b, three, 4, &(optimizer_options){.kind = OPTIMIZER_ADAMW});
    assert_int_equal(b.o.states, 2);
    assert_string_equal(optimizer_state_name(&b.o, 1), "optimizer.adamw.square");
    assert_int_equal(optimizer_bytes(&b.o, b.p), 8 * EVERY);
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_like_pytorch),
        cmocka_unit_test(test_lars),
        cmocka_unit_test(test_groups_and_decay),
        cmocka_unit_test(test_tells_what_is_not_finite),
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
