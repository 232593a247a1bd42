/* Every algorithm of every pass of a convolution against plain loops in float64, for shapes that
 * leave tiles, blocks and panels incomplete. */
#include "tests/nn/kernels/conv_fixture.h"

#include "src/base/memory.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/winograd.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

static status run_team(const convolution *k, const team *t, const void *x, const void *dy, void *y,
    const float *bias) {
    return dy ? convolution_run_weights(k, t, x, dy, y) : convolution_run(k, t, x, y, bias);
}

/* The result of a pass, which must be the same bits by any thread and by a team of all. */
static void run_all(const convolution *k, const void *x, const void *dy, void *to, size_t bytes,
    const void *before, const float *bias) {
    void *result[THREADS + 1], *scratch[THREADS];
    for (int i = 0; i <= THREADS; i++) {
        result[i] = fixture_allocate(bytes, 1);
        if (before) memcpy(result[i], before, bytes);
    }
    status worst = STATUS_OK;
    team_meeting corner = {0};
#pragma omp parallel num_threads(THREADS)
    {
        omp_set_num_threads(1);
        int thread = omp_get_thread_num(), image;
        scratch[thread] = fixture_allocate(convolution_scratch(k), 1);
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

static void test_forward(const fixture *f, conv_choice choice, const char *name, double most) {
    dtype t = f->c.type;
    convolution *k;
    conv_fusion fusion = {.bias = true, .sum = !choice.fp32, .relu = true};
    assert_int_equal(convolution_create(&k, f->o, &f->c, CONV_FORWARD, fusion, choice), STATUS_OK);
    check_algorithm(k, name);
    float *work = fixture_allocate(convolution_work(k), sizeof *work);
    omp_set_num_threads(1);
    void *packed = fixture_allocate(convolution_packed_bytes(k), 1);
    if (convolution_packed_bytes(k) > 0) convolution_place(k, packed);
    for (int i = 0; i < 3; i++) assert_int_equal(convolution_pack(k, i, 3, f->w, work), STATUS_OK);
    void *x = fixture_stored(f->x, f->inputs, choice.fp32 ? DTYPE_F32 : t);
    void *old = fixture_stored(f->old, f->outputs, t);
    void *y = fixture_allocate(f->outputs, dtype_size(t));
    run_all(k, x, NULL, y, f->outputs * dtype_size(t), old, f->bias);
    double *wanted = fixture_allocate(f->outputs, sizeof *wanted);
    fixture_for_all(f, fixture_meet_forward, wanted);
    for (size_t i = 0; i < f->outputs; i++) {
        wanted[i] += (double)f->bias[i % (size_t)f->c.out_channels];
        if (!choice.fp32) wanted[i] += (double)f->old[i];
        if (wanted[i] < 0) wanted[i] = 0;
    }
    fixture_check("forward", f, fixture_error(y, wanted, f->outputs, t), most);
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
    float *work = fixture_allocate(convolution_work(k), sizeof *work);
    omp_set_num_threads(1);
    void *packed = fixture_allocate(convolution_packed_bytes(k), 1);
    if (convolution_packed_bytes(k) > 0) convolution_place(k, packed);
    for (int i = 0; i < 3; i++) assert_int_equal(convolution_pack(k, i, 3, f->w, work), STATUS_OK);
    void *dy = fixture_stored(f->y, f->outputs, t), *old = fixture_stored(f->x, f->inputs, t);
    void *dx = fixture_allocate(f->inputs, dtype_size(t));
    run_all(k, dy, NULL, dx, f->inputs * dtype_size(t), old, NULL);
    double *wanted = fixture_allocate(f->inputs, sizeof *wanted);
    fixture_for_all(f, fixture_meet_data, wanted);
    for (size_t i = 0; i < f->inputs; i++) wanted[i] += (double)f->x[i];
    fixture_check("backward data", f, fixture_error(dx, wanted, f->inputs, t), most);
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
    void *x = fixture_stored(f->x, f->inputs, choice.fp32 ? DTYPE_F32 : t);
    void *dy = fixture_stored(f->y, f->outputs, t);
    float *packed = fixture_allocate(count, sizeof *packed),
          *dw = fixture_allocate(f->weights, sizeof *dw);
    run_all(k, x, dy, packed, count * sizeof *packed, NULL, NULL);
    omp_set_num_threads(1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(convolution_unpack(k, i % THREADS, 3, packed, dw), STATUS_OK);
    assert_int_equal(convolution_unpack(k, 2, 3, packed, dw), STATUS_OK);
    double *wanted = fixture_allocate(f->weights, sizeof *wanted);
    fixture_for_all(f, fixture_meet_weights, wanted);
    fixture_check("backward weights", f, fixture_error(dw, wanted, f->weights, DTYPE_F32), most);
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
    return fixture_create(s[0], s[1], s[2], s[3], 3, s[4], t);
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
            fixture_destroy(&f);
        }
    fixture f = fixture_create(32, 32, 64, 64, 3, 2, DTYPE_F32);
    test_forward(&f, choice, "winograd 4", 2e-6);
    test_data(&f, choice, "winograd 4", 2e-6);
    fixture_destroy(&f);
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
        fixture_destroy(&f);
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
            void *packed = fixture_allocate(winograd_packed_bytes(k), 1);
            winograd_place(k, packed);
            winograd_pack(k, 0, 1, f.w);
            float *y = fixture_allocate(f.outputs, sizeof *y);
            void *scratch = fixture_allocate(winograd_scratch(k), 1);
            team one = team_alone(0, scratch);
            omp_set_num_threads(1);
            assert_int_equal(winograd_run(k, &one, f.x, y, f.bias), STATUS_OK);
            double *wanted = fixture_allocate(f.outputs, sizeof *wanted);
            fixture_for_all(&f, fixture_meet_forward, wanted);
            for (size_t j = 0; j < f.outputs; j++)
                wanted[j] += (double)f.bias[j % (size_t)f.c.out_channels];
            fixture_check(
                "tiles", &f, fixture_error(y, wanted, f.outputs, DTYPE_F32), m == 2 ? 1e-6 : 2e-6);
            memory_free(scratch);
            memory_free(packed);
            memory_free(wanted);
            memory_free(y);
            winograd_destroy(k);
            fixture_destroy(&f);
        }
}

static void test_direct_and_taps(void **state) {
    (void)state;
    conv_choice direct = {.direct = true}, any = {.direct = false};
    for (dtype t = DTYPE_F32; t <= DTYPE_BF16; t++) {
        if (!onednn_supports(t)) continue;
        double most = t == DTYPE_F32 ? 1e-6 : 3e-3;
        fixture f = fixture_create(17, 14, 32, 48, 3, 1, t);
        test_forward(&f, direct, "direct", most);
        test_data(&f, direct, "direct", most);
        test_weights(&f, direct, "direct", 1e-5);
        fixture_destroy(&f);
        /* Taps that are outside for most outputs, and for all. */
        f = fixture_create(20, 18, 48, 32, 3, 12, t);
        test_forward(&f, any, NULL, most);
        test_weights(&f, any, "taps", 1e-5);
        fixture_destroy(&f);
        f = fixture_create(20, 18, 48, 32, 3, 24, t);
        test_forward(&f, any, "direct", most);
        test_data(&f, any, "direct", most);
        test_weights(&f, any, "taps", 1e-5);
        fixture_destroy(&f);
        /* More pixels than one product takes, not a multiple of it. */
        f = fixture_create(37, 31, 19, 21, 1, 1, t);
        test_weights(&f, any, "taps", 1e-5);
        fixture_destroy(&f);
    }
}

/* What stands for direct kernels below AVX-512: of oneDNN's own neither the source nor the result
 * may have been touched beyond the map. Widths of the rectangles make groups of rows of all sizes;
 * of a column of taps the rectangle is as wide as the map. */
static void test_taps_forward(void **state) {
    (void)state;
    static const int sizes[][4] = {
        {20, 18, 48, 32}, {20, 18, 32, 64}, {40, 9, 16, 96}, {13, 33, 80, 32}};
    conv_choice narrow = {.products = DTYPE_F32, .narrow = true, .team = THREADS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int dilation = 6; dilation <= 36; dilation += 5) {
            const int *s = sizes[i];
            fixture f = fixture_create(s[0], s[1], s[2], s[3], 3, dilation, DTYPE_F32);
            test_forward(&f, narrow, "taps", 1e-6);
            fixture_destroy(&f);
            /* Backward, inputs are what outputs are forward. */
            f = fixture_create(s[0], s[1], s[3], s[2], 3, dilation, DTYPE_F32);
            test_data(&f, narrow, "taps", 1e-6);
            fixture_destroy(&f);
        }
    /* Not where there is a direct kernel, nor where outputs leave a panel open. */
    fixture f = fixture_create(20, 18, 48, 48, 3, 24, DTYPE_F32);
    test_forward(&f, narrow, "direct", 1e-6);
    fixture_destroy(&f);
    f = fixture_create(20, 18, 48, 32, 3, 24, DTYPE_F32);
    test_forward(&f, (conv_choice){.direct = true, .narrow = true}, "direct", 1e-6);
    fixture_destroy(&f);
}

/* Weights' gradients by our own products, in parts as by one thread: several blocks of pixels, rows
 * and columns that fill neither a tile nor a panel, taps that are outside for most outputs. */
static void test_own_products(void **state) {
    (void)state;
    conv_choice narrow = {.products = DTYPE_F32, .narrow = true, .team = THREADS};
    static const int sizes[][6] = {{37, 31, 19, 21, 1, 1}, {37, 31, 96, 64, 1, 1},
        {5, 3, 48, 7, 1, 1}, {20, 18, 48, 32, 3, 12}, {20, 18, 144, 48, 3, 24},
        {33, 20, 600, 32, 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int *s = sizes[i];
        fixture f = fixture_create(s[0], s[1], s[2], s[3], s[4], s[5], DTYPE_F32);
        test_weights(&f, narrow, "taps", 1e-5);
        fixture_destroy(&f);
    }
}

/* A source in fp32 before maps in bf16: rounded once, at the end. */
static void test_fp32_source(void **state) {
    (void)state;
    if (!onednn_supports(DTYPE_BF16)) skip();
    conv_choice choice = {.fp32 = true, .team = THREADS};
    fixture f = fixture_create(17, 14, 3, 32, 3, 1, DTYPE_BF16);
    fixture_fill(f.x, f.inputs, 1, 0.25f, DTYPE_F32);
    test_forward(&f, choice, "direct", 2e-3);
    test_weights(&f, choice, "direct", 1e-5);
    fixture_destroy(&f);
}

/* An image that is not finite must be seen to be so. */
static void test_not_finite(void **state) {
    (void)state;
    fixture f = fixture_create(16, 16, 32, 32, 3, 1, DTYPE_F32);
    winograd *k;
    assert_int_equal(
        winograd_forward(&k, f.o, &f.c, (conv_fusion){.relu = true}, 4, DTYPE_F32), STATUS_OK);
    void *packed = fixture_allocate(winograd_packed_bytes(k), 1);
    winograd_place(k, packed);
    winograd_pack(k, 0, 1, f.w);
    f.x[5 * 32] = NAN;
    void *scratch = fixture_allocate(winograd_scratch(k), 1);
    team one = team_alone(0, scratch);
    omp_set_num_threads(1);
    assert_int_equal(winograd_run(k, &one, f.x, f.y, NULL), STATUS_OK);
    assert_true(isnan(f.y[5 * 32]));
    memory_free(scratch);
    memory_free(packed);
    winograd_destroy(k);
    fixture_destroy(&f);
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
            float *a = fixture_allocate(down * stride, sizeof *a),
                  *b = fixture_allocate(inner * wide, sizeof *b);
            float *c = fixture_allocate(all * wide, sizeof *c);
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
        cmocka_unit_test(test_taps_forward),
        cmocka_unit_test(test_own_products),
        cmocka_unit_test(test_fp32_source),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
