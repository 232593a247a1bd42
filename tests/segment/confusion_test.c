#include "src/segment/confusion.h"
#include "src/base/random.h"
#include "src/image/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { K = 6, N = 5000 };

static uint16_t label[N], prediction[N];

/* Class 4 is never labelled, class 5 neither labelled nor predicted. */
static void draw(void) {
    random_stream r = random_begin(5, RANDOM_INIT, 0, 0);
    for (int i = 0; i < N; i++) {
        label[i] = (uint16_t)random_below(&r, 4);
        prediction[i] = random_uniform(&r) < 0.6 ? label[i] : (uint16_t)random_below(&r, 5);
        if (random_uniform(&r) < 0.1) label[i] = LABEL_IGNORE;
    }
}

static int count(int k, int both, int either) {
    int n = 0;
    for (int i = 0; i < N; i++) {
        if (label[i] == LABEL_IGNORE) continue;
        n += both && label[i] == k && prediction[i] == k;
        n += either && (label[i] == k || prediction[i] == k);
    }
    return n;
}

static void agrees_with_a_plain_count(void **state) {
    (void)state;
    draw();
    int64_t matrix[K * K] = {0};
    confusion_add(matrix, K, label, prediction, 1234);
    confusion_add(matrix, K, label + 1234, prediction + 1234, N - 1234);
    double iou[K], accuracy[K], iou_sum = 0, accuracy_sum = 0;
    segment_scores s = confusion_scores(matrix, K, iou, accuracy);
    int right = 0, pixels = 0;
    for (int k = 0; k < K; k++) {
        int both = count(k, 1, 0), labelled = 0;
        for (int i = 0; i < N; i++) labelled += label[i] == k;
        right += both;
        pixels += labelled;
        if (k < 5) {
            assert_true(fabs(iou[k] - (double)both / count(k, 0, 1)) < 1e-12);
            iou_sum += iou[k];
        }
        if (k < 4) {
            assert_true(fabs(accuracy[k] - (double)both / labelled) < 1e-12);
            accuracy_sum += accuracy[k];
        }
    }
    assert_true(iou[4] == 0 && isnan(accuracy[4]));
    assert_true(isnan(iou[5]) && isnan(accuracy[5]));
    assert_true(fabs(s.accuracy - (double)right / pixels) < 1e-12);
    assert_true(fabs(s.mean_iou - iou_sum / 5) < 1e-12);
    assert_true(fabs(s.mean_accuracy - accuracy_sum / 4) < 1e-12);
}

static void empty_matrix_has_no_scores(void **state) {
    (void)state;
    int64_t matrix[K * K] = {0};
    segment_scores s = confusion_scores(matrix, K, NULL, NULL);
    assert_true(isnan(s.accuracy) && isnan(s.mean_iou) && isnan(s.mean_accuracy));
}

static void probabilities_sum_and_mirror(void **state) {
    (void)state;
    enum { H = 2, W = 3, C = 4, BIG_H = 7, BIG_W = 11, BIG = BIG_H * BIG_W };
    float logits[H * W * C], mirrored[H * W * C], a[BIG * C] = {0}, b[BIG * C] = {0};
    random_stream r = random_begin(6, RANDOM_INIT, 0, 0);
    for (int i = 0; i < H * W * C; i++) logits[i] = (float)random_normal(&r);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            memcpy(mirrored + (y * W + W - 1 - x) * C, logits + (y * W + x) * C, C * sizeof(float));
    assert_int_equal(
        segment_accumulate(&(logit_map){logits, H, W, C}, false, BIG_H, BIG_W, a), STATUS_OK);
    assert_int_equal(
        segment_accumulate(&(logit_map){mirrored, H, W, C}, true, BIG_H, BIG_W, b), STATUS_OK);
    for (int i = 0; i < BIG; i++) {
        float sum = 0;
        for (int k = 0; k < C; k++) {
            sum += a[i * C + k];
            assert_true(fabsf(a[i * C + k] - b[i * C + k]) < 1e-6f);
        }
        assert_true(fabsf(sum - 1) < 1e-6f);
    }
    for (int i = 0; i < 2; i++) {
        logits[5] = i == 0 ? NAN : INFINITY;
        assert_int_equal(segment_accumulate(&(logit_map){logits, H, W, C}, false, BIG_H, BIG_W, b),
            STATUS_NONFINITE);
    }
    /* The corner shows the corner's logits alone. */
    float sum = 0;
    for (int k = 0; k < C; k++) sum += expf(logits[k]);
    for (int k = 0; k < C; k++) assert_true(fabsf(a[k] - expf(logits[k]) / sum) < 1e-6f);
}

static void ties_go_to_the_lowest_class(void **state) {
    (void)state;
    const float p[] = {0.2f, 0.4f, 0.4f, 0.5f, 0.5f, 0};
    uint16_t best[2];
    segment_predict(p, 3, 2, best);
    assert_int_equal(best[0], 1);
    assert_int_equal(best[1], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_count),
        cmocka_unit_test(empty_matrix_has_no_scores),
        cmocka_unit_test(probabilities_sum_and_mirror),
        cmocka_unit_test(ties_go_to_the_lowest_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
