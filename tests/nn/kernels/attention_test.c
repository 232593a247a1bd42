/* Attention in tiles against the formula in float64, with several tiles of queries and keys, the
 * last of them in part; the same bits for teams of any size. GELU against the error function, layer
 * norm with a channel that dwarfs the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/rows.h"
#include "src/nn/kernels/attention.h"
#include "src/nn/kernels/tokens.h"

#include <math.h>
#include <omp.h>

enum { HEADS = 2, DIM = 32, CHANNELS = HEADS * DIM, MOST = 3 };

/* Scores with a spread of several units: weights are neither even nor a choice of one. */
static void fill(void *x, float *plain, size_t n, dtype t) {
    random_stream r = random_begin(3, RANDOM_SYNTH, 0, n);
    for (size_t i = 0; i < n; i++) {
        row_put(x, i, (float)(1.5 * random_normal(&r)), t);
        plain[i] = row_get(x, i, t);
    }
}

static void reference(const float *qkv, size_t tokens, double *y) {
    double *w = memory_alloc(tokens, sizeof *w, "weights");
    for (size_t h = 0; h < HEADS; h++)
        for (size_t i = 0; i < tokens; i++) {
            const float *q = qkv + i * 3 * CHANNELS + h * DIM;
            double total = 0, *to = y + i * CHANNELS + h * DIM;
            for (size_t j = 0; j < tokens; j++) {
                const float *k = qkv + j * 3 * CHANNELS + CHANNELS + h * DIM;
                double score = 0;
                for (size_t c = 0; c < DIM; c++) score += (double)q[c] * k[c];
                w[j] = exp(score / sqrt(DIM));
                total += w[j];
            }
            for (size_t j = 0; j < tokens; j++)
                for (size_t c = 0; c < DIM; c++)
                    to[c] += w[j] / total * qkv[j * 3 * CHANNELS + 2 * CHANNELS + h * DIM + c];
        }
    memory_free(w);
}

/* By a team of `threads`. */
static void run(const attention *a, int threads, const void *qkv, void *y) {
    team_meeting meeting = {0};
    void *scratch[MOST];
    status worst = STATUS_OK;
    for (int i = 0; i < threads; i++) scratch[i] = memory_alloc(attention_scratch(a), 1, "scratch");
#pragma omp parallel num_threads(threads)
    {
        int thread = omp_get_thread_num();
        omp_set_num_threads(1);
        team t = {.thread = thread,
            .rank = thread,
            .size = threads,
            .meeting = &meeting,
            .scratch = scratch[thread],
            .shared = scratch[0]};
        status st = attention_run(a, &t, qkv, y);
        if (st != STATUS_OK) worst = st;
    }
    assert_int_equal(worst, STATUS_OK);
    for (int i = 0; i < threads; i++) memory_free(scratch[i]);
}

static void check_tokens(size_t tokens, dtype t) {
    size_t n = tokens * CHANNELS, each = dtype_size(t);
    void *qkv = memory_alloc(3 * n, each, "tokens"), *y = memory_alloc(n, each, "tokens");
    void *shared = memory_alloc(n, each, "tokens");
    float *plain = memory_alloc(3 * n, sizeof *plain, "tokens");
    double *expected = memory_alloc(n, sizeof *expected, "tokens"), error = 0, size = 0;
    fill(qkv, plain, 3 * n, t);
    reference(plain, tokens, expected);
    onednn *o;
    attention *a;
    attention_shape s = {(int)tokens, HEADS, DIM, t};
    assert_int_equal(onednn_create(&o, MOST), STATUS_OK);
    assert_int_equal(attention_create(&a, o, &s), STATUS_OK);
    run(a, 1, qkv, y);
    for (size_t i = 0; i < n; i++) {
        double d = row_get(y, i, t) - expected[i];
        error += d * d, size += expected[i] * expected[i];
    }
    if (!(sqrt(error / size) < (t == DTYPE_F32 ? 1e-6 : 4e-3)))
        fail_msg("%zu tokens, type %d: error %g", tokens, t, sqrt(error / size));
    for (int threads = 2; threads <= MOST; threads++) {
        run(a, threads, qkv, shared);
        assert_memory_equal(y, shared, n * each);
    }
    attention_destroy(a);
    onednn_destroy(o);
    memory_free(qkv);
    memory_free(y);
    memory_free(shared);
    memory_free(plain);
    memory_free(expected);
}

static void test_attention(void **state) {
    (void)state;
    static const size_t tokens[] = {1, 17, 385, 900};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        check_tokens(tokens[i], DTYPE_F32);
        if (onednn_supports(DTYPE_BF16)) check_tokens(tokens[i], DTYPE_BF16);
    }
}

/* What a thread needs grows with the tokens, not with their square. */
static void test_memory(void **state) {
    (void)state;
    size_t bytes[2];
    onednn *o;
    assert_int_equal(onednn_create(&o, 1), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        attention *a;
        attention_shape s = {i ? 16385 : 4097, 6, 64, DTYPE_F32};
        assert_int_equal(attention_create(&a, o, &s), STATUS_OK);
        bytes[i] = attention_scratch(a);
        attention_destroy(a);
    }
    onednn_destroy(o);
    assert_true(bytes[1] < 4 * bytes[0] && bytes[1] < 16u << 20);
}

static void test_gelu(void **state) {
    (void)state;
    enum { N = 4000 };
    static float x[N], y[N];
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) * (12.0f / N);
    tokens_gelu(x, y, N, DTYPE_F32);
    for (int i = 0; i < N; i++) {
        double expected = 0.5 * x[i] * (1 + erf(x[i] / sqrt(2.0)));
        if (!(fabs(y[i] - expected) < 2e-6)) fail_msg("gelu(%g) = %g", (double)x[i], (double)y[i]);
    }
}

/* Mean 40 000 times the deviation of what is left. */
static void test_layer_norm(void **state) {
    (void)state;
    enum { C = 64 };
    float x[C], y[C], weight[C], bias[C];
    double mean = 0, variance = 0;
    for (int c = 0; c < C; c++) {
        x[c] = 1000.0f + 0.025f * (float)(c % 7);
        weight[c] = 1.0f + 0.01f * (float)c;
        bias[c] = (float)c;
        mean += x[c] / (double)C;
    }
    for (int c = 0; c < C; c++) variance += (x[c] - mean) * (x[c] - mean) / C;
    tokens_layer_norm(x, y, 1, C, weight, bias, DTYPE_F32);
    for (int c = 0; c < C; c++) {
        double expected =
            weight[c] * (x[c] - mean) / sqrt(variance + (double)LAYER_NORM_EPSILON) + bias[c];
        if (!(fabs(y[c] - expected) < 0.02))
            fail_msg("channel %d is %g, not %g", c, (double)y[c], expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_gelu),
        cmocka_unit_test(test_layer_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
