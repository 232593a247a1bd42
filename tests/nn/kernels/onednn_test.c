/* A kernel gives the same bits inside a parallel region as outside, and what plain loops give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/memory.h"
#include "src/nn/kernels/onednn.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    SIZE = 20,
    IN = 32,
    OUT = 64,
    KERNEL = 3,
    THREADS = 2,
    WEIGHTS = OUT * IN * KERNEL * KERNEL
};

static const conv_shape shape = {SIZE, SIZE, IN, SIZE, SIZE, OUT, KERNEL, 1, 1, 1, DTYPE_F32, 0, 0};

typedef struct fixture {
    onednn *o;
    onednn_kernel *k;
    float *x, *dy;          /* [SIZE, SIZE, IN], [SIZE, SIZE, OUT] */
    float *packed, *weight; /* [WEIGHTS] or more */
    void *scratch[THREADS];
} fixture;

static void *allocate(size_t bytes) {
    void *p = memory_alloc(bytes, 1, "test");
    assert_non_null(p);
    return p;
}

/* The kernel is created while two threads are allowed: the trap. */
static fixture create(void) {
    fixture f;
    omp_set_num_threads(THREADS);
    assert_int_equal(onednn_create(&f.o, THREADS), STATUS_OK);
    assert_int_equal(onednn_backward_weights(&f.k, f.o, &shape), STATUS_OK);
    f.x = allocate(SIZE * SIZE * IN * sizeof(float));
    f.dy = allocate(SIZE * SIZE * OUT * sizeof(float));
    f.packed = allocate(THREADS * onednn_gradient_count(f.k) * sizeof(float));
    f.weight = allocate(WEIGHTS * sizeof(float));
    for (int i = 0; i < THREADS; i++) f.scratch[i] = allocate(onednn_scratch(f.k));
    for (int i = 0; i < SIZE * SIZE * IN; i++) f.x[i] = (float)((i * 7 + i / 31) % 23 - 11) / 11;
    for (int i = 0; i < SIZE * SIZE * OUT; i++) f.dy[i] = (float)((i * 5 + i / 29) % 19 - 9) / 9;
    return f;
}

static void destroy(fixture *f) {
    onednn_kernel_destroy(f->k);
    onednn_destroy(f->o);
    memory_free(f->x);
    memory_free(f->dy);
    memory_free(f->packed);
    memory_free(f->weight);
    for (int i = 0; i < THREADS; i++) memory_free(f->scratch[i]);
}

static double plain_gradient(const fixture *f, int o, int i, int row, int column) {
    double sum = 0;
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            int sy = y + row - 1, sx = x + column - 1;
            if (sy < 0 || sy >= SIZE || sx < 0 || sx >= SIZE) continue;
            sum += (double)f->x[(sy * SIZE + sx) * IN + i] * f->dy[(y * SIZE + x) * OUT + o];
        }
    return sum;
}

static void test_weight_gradient_in_a_region(void **state) {
    (void)state;
    fixture f = create();
    size_t count = onednn_gradient_count(f.k);
    status s[THREADS];
#pragma omp parallel num_threads(THREADS)
    {
        int t = omp_get_thread_num();
        omp_set_num_threads(1);
        s[t] = onednn_run_weights(f.k, t, f.x, f.dy, f.packed + (size_t)t * count, f.scratch[t]);
    }
    for (int t = 0; t < THREADS; t++) assert_int_equal(s[t], STATUS_OK);
    assert_memory_equal(f.packed, f.packed + count, count * sizeof(float));
    omp_set_num_threads(1);
    float *outside = f.packed + count;
    memset(outside, 0xFF, count * sizeof(float));
    assert_int_equal(onednn_run_weights(f.k, 0, f.x, f.dy, outside, f.scratch[0]), STATUS_OK);
    assert_memory_equal(f.packed, outside, count * sizeof(float));

    assert_int_equal(onednn_unpack(f.k, 0, outside, f.weight), STATUS_OK);
    double difference = 0, size = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        int area = KERNEL * KERNEL, position = i % area;
        double expected =
            plain_gradient(&f, i / area / IN, i / area % IN, position / KERNEL, position % KERNEL);
        difference += (f.weight[i] - expected) * (f.weight[i] - expected);
        size += expected * expected;
    }
    assert_true(sqrt(difference / size) < 1e-6);
    destroy(&f);
}

/* Creation leaves the number of threads as it was. */
static void test_creation_keeps_the_threads(void **state) {
    (void)state;
    fixture f = create();
    assert_int_equal(omp_get_max_threads(), THREADS);
    destroy(&f);
    onednn_kernel_destroy(NULL);
    onednn_destroy(NULL);
}

static void test_refusal_is_a_status(void **state) {
    (void)state;
    onednn *o;
    onednn_kernel *k = NULL;
    conv_shape wrong = shape;
    wrong.out_height = SIZE + 5;
    assert_int_equal(onednn_create(&o, 1), STATUS_OK);
    assert_int_equal(onednn_backward_weights(&k, o, &wrong), STATUS_FAILED);
    assert_null(k);
    onednn_destroy(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_weight_gradient_in_a_region),
        cmocka_unit_test(test_creation_keeps_the_threads),
        cmocka_unit_test(test_refusal_is_a_status)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
