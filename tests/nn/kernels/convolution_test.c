/* Every algorithm of every pass of a convolution against plain loops in float64, for shapes that
 * leave tiles, blocks and panels incomplete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/nn/kernels/convolution.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/winograd.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 3 };

typedef struct fixture {
    conv_shape c;
    onednn *o;
    float *x, *y, *w, *bias, *old; /* values that the map's type holds exactly; old [outputs] */
    size_t inputs, outputs, weights;
} fixture;

static void *allocate(size_t count, size_t size) {
    void *p = memory_alloc(count, size, "test");
    assert_non_null(p);
    return p;
}

static void fill(float *x, size_t n, uint32_t seed, float level, dtype t) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        float v = (float)(int32_t)(seed >> 8) / (float)(1 << 23) - 1 + level;
        x[i] = t == DTYPE_BF16 ? bf16_to_float(bf16_from_float(v)) : v;
    }
}

static fixture create(int height, int width, int in, int out, int kernel, int dilation, dtype t) {
    fixture f = {.c = {height, width, in, height, width, out, kernel, 1, dilation,
                     dilation * (kernel / 2), t}};
    size_t pixels = (size_t)height * (size_t)width;
    f.inputs = pixels * (size_t)in;
    f.outputs = pixels * (size_t)out;
    f.weights = (size_t)in * (size_t)out * (size_t)(kernel * kernel);
    assert_int_equal(onednn_create(&f.o, THREADS), STATUS_OK);
    f.x = allocate(f.inputs, sizeof(float));
    f.y = allocate(f.outputs, sizeof(float));
    f.old = allocate(f.outputs, sizeof(float));
    f.w = allocate(f.weights, sizeof(float));
    f.bias = allocate((size_t)out, sizeof(float));
    fill(f.x, f.inputs, 1, 0.25f, t);
    fill(f.y, f.outputs, 2, -0.125f, t);
    fill(f.old, f.outputs, 5, 0, t);
    fill(f.w, f.weights, 3, 0.1f, DTYPE_F32);
    fill(f.bias, (size_t)out, 4, 0, DTYPE_F32);
    return f;
}

static void destroy(fixture *f) {
    onednn_destroy(f->o);
    memory_free(f->x);
    memory_free(f->y);
    memory_free(f->old);
    memory_free(f->w);
    memory_free(f->bias);
}

static void *stored(const float *x, size_t n, dtype t) {
    char *to = allocate(n, dtype_size(t));
    for (size_t i = 0; i < n; i++)
        if (t == DTYPE_BF16)
            ((uint16_t *)to)[i] = bf16_from_float(x[i]);
        else
            ((float *)to)[i] = x[i];
    return to;
}

static double value_at(const void *x, size_t i, dtype t) {
    return t == DTYPE_BF16 ? (double)bf16_to_float(((const uint16_t *)x)[i])
                           : (double)((const float *)x)[i];
}

/* Calls with every (output pixel, input pixel, tap) that meet. */
typedef void (*meeting)(const fixture *f, size_t out, size_t in, size_t tap, double *result);
static void for_all(const fixture *f, meeting meet, double *result) {
    const conv_shape *c = &f->c;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++)
            for (int k = 0; k < c->kernel * c->kernel; k++) {
                int iy = y + k / c->kernel * c->dilation - c->padding;
                int ix = x + k % c->kernel * c->dilation - c->padding;
                if (iy < 0 || iy >= c->height || ix < 0 || ix >= c->width) continue;
                meet(
                    f, (size_t)(y * c->width + x), (size_t)(iy * c->width + ix), (size_t)k, result);
            }
}

static size_t weight_index(const fixture *f, size_t o, size_t i, size_t tap) {
    return (o * (size_t)f->c.channels + i) * (size_t)(f->c.kernel * f->c.kernel) + tap;
}

static void meet_forward(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[out * m + o] += (double)f->x[in * n + i] * f->w[weight_index(f, o, i, tap)];
}

static void meet_data(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[in * n + i] += (double)f->y[out * m + o] * f->w[weight_index(f, o, i, tap)];
}

static void meet_weights(const fixture *f, size_t out, size_t in, size_t tap, double *result) {
    size_t n = (size_t)f->c.channels, m = (size_t)f->c.out_channels;
    for (size_t o = 0; o < m; o++)
        for (size_t i = 0; i < n; i++)
            result[weight_index(f, o, i, tap)] += (double)f->y[out * m + o] * f->x[in * n + i];
}

static double relative_error(const void *x, const double *wanted, size_t n, dtype t) {
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double off = value_at(x, i, t) - wanted[i];
        error += off * off;
        size += wanted[i] * wanted[i];
    }
    return sqrt(error / size);
}

static status run_team(const convolution *k, const team *t, const void *x, const void *dy, void *y,
    const float *bias) {
    return dy ? convolution_run_weights(k, t, x, dy, y) : convolution_run(k, t, x, y, bias);
}

/* The result of a pass, which must be the same bits by any thread and by a team of all. */
static void run_all(const convolution *k, const void *x, const void *dy, void *to, size_t bytes,
    const void *before, const float *bias) {
    void *result[THREADS + 1], *scratch[THREADS];
    for (int i = 0; i <= THREADS; i++) {
        result[i] = allocate(bytes, 1);
        if (before) memcpy(result[i], before, bytes);
    }
    status worst = STATUS_OK;
    team_meeting corner = {0};
#pragma omp parallel num_threads(THREADS)
    {
        omp_set_num_threads(1);
        int thread = omp_get_thread_num(), image;
        scratch[thread] = allocate(convolution_scratch(k), 1);
        memset(scratch[thread], 0xFF, convolution_scratch(k)); /* nothing stale may be used */
        team one = team_alone(thread, scratch[thread]);
        status s = run_team(k, &one, x, dy, result[thread], bias);
#pragma omp barrier
        team t = team_of(thread, THREADS, 1, &image);
        t.meeting = &corner;
        t.scratch = scratch[thread];
        t.shared = scratch[0];
        memset(scratch[thread], 0xFF, convolution_scratch(k));
#pragma omp barrier
        if (s == STATUS_OK) s = run_team(k, &t, x, dy, result[THREADS], bias);
        if (s != STATUS_OK) worst = s;
#pragma omp barrier
        memory_free(scratch[thread]);
    }
    assert_int_equal(worst, STATUS_OK);
    memcpy(to, result[0], bytes);
    for (int i = 0; i <= THREADS; i++) {
        assert_memory_equal(to, result[i], bytes);
        memory_free(result[i]);
    }
}

static void check_algorithm(const convolution *k, const char *wanted) {
    char text[32];
    convolution_describe(k, text, sizeof text);
    if (wanted) assert_string_equal(text, wanted);
}

static void check(const char *what, const fixture *f, double error, double most) {
    if (!(error <= most))
        print_message("%s, %d x %d, %d > %d, kernel %d, dilation %d: error %.2g\n", what,
            f->c.height, f->c.width, f->c.channels, f->c.out_channels, f->c.kernel, f->c.dilation,
            error);
    assert_true(error <= most);
}

static void test_forward(const fixture *f, conv_choice choice, const char *name, double most) {
    dtype t = f->c.type;
    convolution *k;
    conv_fusion fusion = {.bias = true, .sum = !choice.fp32, .relu = true};
    assert_int_equal(convolution_create(&k, f->o, &f->c, CONV_FORWARD, fusion, choice), STATUS_OK);
    check_algorithm(k, name);
    float *work = allocate(convolution_work(k), sizeof *work);
    omp_set_num_threads(1);
    void *packed = allocate(convolution_packed_bytes(k), 1);
    if (convolution_packed_bytes(k) > 0) convolution_place(k, packed);
    for (int i = 0; i < 3; i++) assert_int_equal(convolution_pack(k, i, 3, f->w, work), STATUS_OK);
    void *x = stored(f->x, f->inputs, choice.fp32 ? DTYPE_F32 : t);
    void *old = stored(f->old, f->outputs, t);
    void *y = allocate(f->outputs, dtype_size(t));
    run_all(k, x, NULL, y, f->outputs * dtype_size(t), old, f->bias);
    double *wanted = allocate(f->outputs, sizeof *wanted);
    for_all(f, meet_forward, wanted);
    for (size_t i = 0; i < f->outputs; i++) {
        wanted[i] += (double)f->bias[i % (size_t)f->c.out_channels];
        if (!choice.fp32) wanted[i] += (double)f->old[i];
        if (wanted[i] < 0) wanted[i] = 0;
    }
    check("forward", f, relative_error(y, wanted, f->outputs, t), most);
    memory_free(x);
    memory_free(old);
    memory_free(y);
    memory_free(wanted);
    memory_free(work);
    memory_free(packed);
    convolution_destroy(k);
}

static void test_data(const fixture *f, conv_choice choice, const char *name, double most) {
    dtype t = f->c.type;
    convolution *k;
    assert_int_equal(
        convolution_create(&k, f->o, &f->c, CONV_BACKWARD_DATA, (conv_fusion){.sum = true}, choice),
        STATUS_OK);
    check_algorithm(k, name);
    assert_true(convolution_adds(k));
    float *work = allocate(convolution_work(k), sizeof *work);
    omp_set_num_threads(1);
    void *packed = allocate(convolution_packed_bytes(k), 1);
    if (convolution_packed_bytes(k) > 0) convolution_place(k, packed);
    for (int i = 0; i < 3; i++) assert_int_equal(convolution_pack(k, i, 3, f->w, work), STATUS_OK);
    void *dy = stored(f->y, f->outputs, t), *old = stored(f->x, f->inputs, t);
    void *dx = allocate(f->inputs, dtype_size(t));
    run_all(k, dy, NULL, dx, f->inputs * dtype_size(t), old, NULL);
    double *wanted = allocate(f->inputs, sizeof *wanted);
    for_all(f, meet_data, wanted);
    for (size_t i = 0; i < f->inputs; i++) wanted[i] += (double)f->x[i];
    check("backward data", f, relative_error(dx, wanted, f->inputs, t), most);
    memory_free(dy);
    memory_free(old);
    memory_free(dx);
    memory_free(wanted);
    memory_free(work);
    memory_free(packed);
    convolution_destroy(k);
}

static void test_weights(const fixture *f, conv_choice choice, const char *name, double most) {
    dtype t = f->c.type;
    convolution *k;
    assert_int_equal(convolution_create(&k, f->o, &f->c, CONV_BACKWARD_WEIGHTS,
                         (conv_fusion){.bias = false}, choice),
        STATUS_OK);
    check_algorithm(k, name);
    size_t count = convolution_gradient_count(k);
    void *x = stored(f->x, f->inputs, choice.fp32 ? DTYPE_F32 : t);
    void *dy = stored(f->y, f->outputs, t);
    float *packed = allocate(count, sizeof *packed), *dw = allocate(f->weights, sizeof *dw);
    run_all(k, x, dy, packed, count * sizeof *packed, NULL, NULL);
    omp_set_num_threads(1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(convolution_unpack(k, i % THREADS, 3, packed, dw), STATUS_OK);
    assert_int_equal(convolution_unpack(k, 2, 3, packed, dw), STATUS_OK);
    double *wanted = allocate(f->weights, sizeof *wanted);
    for_all(f, meet_weights, wanted);
    check("backward weights", f, relative_error(dw, wanted, f->weights, DTYPE_F32), most);
    memory_free(x);
    memory_free(dy);
    memory_free(packed);
    memory_free(dw);
    memory_free(wanted);
    convolution_destroy(k);
}

/* Height, width, in, out, dilation: whole tiles; odd sizes and panels that are not full; more tiles
 * than a block; maps of a dilated kernel that are smaller than a tile. */
static const int shapes[][5] = {{16, 16, 64, 64, 1}, {19, 13, 48, 80, 1}, {23, 30, 16, 32, 1},
    {70, 66, 16, 16, 1}, {18, 21, 32, 48, 2}, {20, 20, 64, 32, 4}, {9, 7, 32, 16, 5}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static fixture shape(int i, dtype t) {
    const int *s = shapes[i];
    return create(s[0], s[1], s[2], s[3], 3, s[4], t);
}

static void test_winograd(void **state) {
    (void)state;
    conv_choice choice = {.products = DTYPE_F32, .team = THREADS};
    for (int i = 0; i < SHAPES; i++)
        for (dtype t = DTYPE_F32; t <= DTYPE_BF16; t++) {
            if (!onednn_supports(t)) continue;
            double most = t == DTYPE_F32 ? 2e-6 : 3e-3;
            fixture f = shape(i, t);
            test_forward(&f, choice, NULL, most);
            test_data(&f, choice, NULL, most);
            test_weights(&f, choice, NULL, 2e-6);
            destroy(&f);
        }
    fixture f = create(32, 32, 64, 64, 3, 2, DTYPE_F32);
    test_forward(&f, choice, "winograd 4", 2e-6);
    test_data(&f, choice, "winograd 4", 2e-6);
    destroy(&f);
}

static void test_products_in_bf16(void **state) {
    (void)state;
    if (!onednn_supports(DTYPE_BF16)) skip();
    for (int i = 0; i < 2 * SHAPES; i++) {
        conv_choice choice = {.products = DTYPE_BF16, .tiles = i >= SHAPES, .team = THREADS};
        fixture f = shape(i % SHAPES, DTYPE_BF16);
        test_forward(&f, choice, NULL, 6e-3);
        test_data(&f, choice, NULL, 6e-3);
        test_weights(&f, choice, NULL, 6e-3);
        destroy(&f);
    }
}

/* Each m by itself, whatever would be chosen. */
static void test_both_tiles(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        for (int m = 2; m <= 4; m += 2) {
            fixture f = shape(i, DTYPE_F32);
            winograd *k;
            assert_int_equal(
                winograd_forward(&k, f.o, &f.c, (conv_fusion){.bias = true}, m, DTYPE_F32),
                STATUS_OK);
            void *packed = allocate(winograd_packed_bytes(k), 1);
            winograd_place(k, packed);
            winograd_pack(k, 0, 1, f.w);
            float *y = allocate(f.outputs, sizeof *y);
            void *scratch = allocate(winograd_scratch(k), 1);
            team one = team_alone(0, scratch);
            omp_set_num_threads(1);
            assert_int_equal(winograd_run(k, &one, f.x, y, f.bias), STATUS_OK);
            double *wanted = allocate(f.outputs, sizeof *wanted);
            for_all(&f, meet_forward, wanted);
            for (size_t j = 0; j < f.outputs; j++)
                wanted[j] += (double)f.bias[j % (size_t)f.c.out_channels];
            check(
                "tiles", &f, relative_error(y, wanted, f.outputs, DTYPE_F32), m == 2 ? 1e-6 : 2e-6);
            memory_free(scratch);
            memory_free(packed);
            memory_free(wanted);
            memory_free(y);
            winograd_destroy(k);
            destroy(&f);
        }
}

static void test_direct_and_taps(void **state) {
    (void)state;
    conv_choice direct = {.direct = true}, any = {.direct = false};
    for (dtype t = DTYPE_F32; t <= DTYPE_BF16; t++) {
        if (!onednn_supports(t)) continue;
        double most = t == DTYPE_F32 ? 1e-6 : 3e-3;
        fixture f = create(17, 14, 32, 48, 3, 1, t);
        test_forward(&f, direct, "direct", most);
        test_data(&f, direct, "direct", most);
        test_weights(&f, direct, "direct", 1e-5);
        destroy(&f);
        /* Taps that are outside for most outputs, and for all. */
        f = create(20, 18, 48, 32, 3, 12, t);
        test_forward(&f, any, NULL, most);
        test_weights(&f, any, "taps", 1e-5);
        destroy(&f);
        f = create(20, 18, 48, 32, 3, 24, t);
        test_forward(&f, any, "direct", most);
        test_data(&f, any, "direct", most);
        test_weights(&f, any, "taps", 1e-5);
        destroy(&f);
        /* More pixels than one product takes, not a multiple of it. */
        f = create(37, 31, 19, 21, 1, 1, t);
        test_weights(&f, any, "taps", 1e-5);
        destroy(&f);
    }
}

/* A source in fp32 before maps in bf16: rounded once, at the end. */
static void test_fp32_source(void **state) {
    (void)state;
    if (!onednn_supports(DTYPE_BF16)) skip();
    conv_choice choice = {.fp32 = true, .team = THREADS};
    fixture f = create(17, 14, 3, 32, 3, 1, DTYPE_BF16);
    fill(f.x, f.inputs, 1, 0.25f, DTYPE_F32);
    test_forward(&f, choice, "direct", 2e-3);
    test_weights(&f, choice, "direct", 1e-5);
    destroy(&f);
}

/* An image that is not finite must be seen to be so. */
static void test_not_finite(void **state) {
    (void)state;
    fixture f = create(16, 16, 32, 32, 3, 1, DTYPE_F32);
    winograd *k;
    assert_int_equal(
        winograd_forward(&k, f.o, &f.c, (conv_fusion){.relu = true}, 4, DTYPE_F32), STATUS_OK);
    void *packed = allocate(winograd_packed_bytes(k), 1);
    winograd_place(k, packed);
    winograd_pack(k, 0, 1, f.w);
    f.x[5 * 32] = NAN;
    void *scratch = allocate(winograd_scratch(k), 1);
    team one = team_alone(0, scratch);
    omp_set_num_threads(1);
    assert_int_equal(winograd_run(k, &one, f.x, f.y, NULL), STATUS_OK);
    assert_true(isnan(f.y[5 * 32]));
    memory_free(scratch);
    memory_free(packed);
    winograd_destroy(k);
    destroy(&f);
}

/* Rows beyond those asked for, columns beyond the last panel, sums that go on. */
static void test_matrix(void **state) {
    (void)state;
    for (size_t rows = 1; rows < 40; rows += 3)
        for (int transposed = 0; transposed < 2; transposed++) {
            size_t inner = 2 * rows + 1, columns = rows + 30, wide = matrix_columns(columns);
            size_t all = transposed ? (rows + 15) / 16 * 16 : matrix_rows(rows);
            size_t across = transposed ? all : inner, stride = matrix_stride(across);
            size_t down = transposed ? inner : all;
            float *a = allocate(down * stride, sizeof *a), *b = allocate(inner * wide, sizeof *b);
            float *c = allocate(all * wide, sizeof *c);
            for (size_t i = 0; i < down * stride; i++) a[i] = (float)(i * 7 % 11) - 5;
            for (size_t i = 0; i < inner * wide; i++) b[i] = (float)(i * 5 % 13) - 6;
            matrix_shape s = {all, inner, columns, transposed, false};
            matrix_product(&s, a, b, c);
            s.add = true;
            matrix_product(&s, a, b, c);
            for (size_t i = 0; i < all; i++)
                for (size_t j = 0; j < wide; j++) {
                    float sum = 0;
                    for (size_t k = 0; k < inner; k++)
                        sum += a[transposed ? k * stride + i : i * stride + k] *
                               b[j / MATRIX_PANEL * inner * MATRIX_PANEL + k * MATRIX_PANEL +
                                   j % MATRIX_PANEL];
                    assert_true(c[i * wide + j] == 2 * sum); /* whole numbers: exact */
                }
            memory_free(a);
            memory_free(b);
            memory_free(c);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_both_tiles),
        cmocka_unit_test(test_products_in_bf16),
        cmocka_unit_test(test_direct_and_taps),
        cmocka_unit_test(test_fp32_source),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
