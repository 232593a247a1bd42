/* The score against a count over all pairs of pixels, and against scikit-learn's figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/random.h"
#include "src/label/kmeans.h"
#include "src/label/score.h"

#include <math.h>
#include <stdbool.h>

enum { IMAGES = 6, PIXELS = 70, N = IMAGES * PIXELS, K = 7, CLASSES = 5 };

typedef struct pixels {
    uint16_t label[N], truth[N];
} pixels;

/* Labels that follow the class more or less; label K - 1 in one image only, class 4 in none. */
static pixels make(void) {
    pixels p;
    random_stream r = random_begin(5, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < N; i++) {
        p.truth[i] = (uint16_t)random_below(&r, CLASSES - 1);
        p.label[i] = random_uniform(&r) < 0.6 ? p.truth[i] : (uint16_t)random_below(&r, K - 1);
        if (i / PIXELS == 2 && i % 5 == 0) p.label[i] = K - 1;
        if (random_uniform(&r) < 0.1) p.truth[i] = LABEL_NONE;
        if (random_uniform(&r) < 0.1) p.label[i] = LABEL_NONE;
    }
    return p;
}

typedef struct pair_count {
    double all, same_label, same_class, both;
} pair_count;

static bool counts(const pixels *p, int i) {
    return p->truth[i] != LABEL_NONE && p->label[i] != LABEL_NONE;
}

/* Cross-image pairs whose first pixel has the label and class given (-1: any). */
static pair_count brute(const pixels *p, int label, int class) {
    pair_count c = {0};
    for (int i = 0; i < N; i++) {
        if (!counts(p, i) || (label >= 0 && p->label[i] != label)) continue;
        if (class >= 0 && p->truth[i] != class) continue;
        for (int j = 0; j < N; j++) {
            if (!counts(p, j) || i / PIXELS == j / PIXELS) continue;
            bool l = p->label[i] == p->label[j], y = p->truth[i] == p->truth[j];
            c.all++;
            c.same_label += l;
            c.same_class += y;
            c.both += l && y;
        }
    }
    return c;
}

static void assert_close(double a, double b) {
    assert_true((isnan(a) && isnan(b)) || fabs(a - b) < 1e-12);
}

/* Two tables, as two ranks have them, added as one block. */
static void create_table(score_table *s, const pixels *p) {
    score_table other;
    assert_int_equal(score_create(s, K, CLASSES), STATUS_OK);
    assert_int_equal(score_create(&other, K, CLASSES), STATUS_OK);
    for (int i = 0; i < IMAGES; i++)
        assert_int_equal(
            score_add(i % 2 ? s : &other, p->label + i * PIXELS, p->truth + i * PIXELS, PIXELS),
            STATUS_OK);
    int64_t *to = s->block, *from = other.block;
    for (size_t w = 0; w < s->words; w++) to[w] += from[w];
    score_destroy(&other);
}

static void check_means(const pixels *p, const score_result *r) {
    double positive = 0, positive_chance = 0, negative = 0, negative_chance = 0;
    int positives = 0, negatives = 0;
    for (int a = 0; a < K; a++) {
        pair_count c = brute(p, a, -1);
        if (c.same_label > 0) {
            positives++;
            positive += c.both / c.same_label;
            positive_chance += c.same_class / c.all;
        }
        if (c.all > c.same_label) {
            negatives++;
            negative += (c.all - c.same_label - c.same_class + c.both) / (c.all - c.same_label);
            negative_chance += 1 - c.same_class / c.all;
        }
    }
    assert_int_equal(positives, K - 1);
    assert_int_equal(negatives, K);
    assert_close(r->positive_mean, positive / positives);
    assert_close(r->positive_mean_chance, positive_chance / positives);
    assert_close(r->negative_mean, negative / negatives);
    assert_close(r->negative_mean_chance, negative_chance / negatives);
}

static void test_all_pairs(void **state) {
    (void)state;
    pixels p = make();
    score_table s;
    double precision[K], share[K], recall[CLASSES];
    int majority[K];
    create_table(&s, &p);
    score_result r = score_finish(&s, precision, share, majority, recall);
    pair_count c = brute(&p, -1, -1);
    assert_close(r.positive, c.both / c.same_label);
    assert_close(r.positive_chance, c.same_class / c.all);
    assert_close(
        r.negative, (c.all - c.same_label - c.same_class + c.both) / (c.all - c.same_label));
    assert_close(r.negative_chance, 1 - c.same_class / c.all);
    check_means(&p, &r);
    for (int a = 0; a < K; a++) {
        c = brute(&p, a, -1);
        assert_close(precision[a], c.both / c.same_label);
    }
    for (int y = 0; y < CLASSES; y++) {
        c = brute(&p, -1, y);
        assert_close(recall[y], c.both / c.same_class);
    }
    score_destroy(&s);
}

/* label, class of 12 pixels; scikit-learn 1.9: normalized_mutual_info_score,
 * adjusted_rand_score; purity and coverage by hand. */
static void test_partitions(void **state) {
    (void)state;
    const uint16_t label[] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2, LABEL_NONE, 2};
    const uint16_t truth[] = {0, 0, 1, 1, 1, 2, 1, 2, 2, 0, 1, LABEL_NONE};
    score_table s;
    int majority[4];
    double share[4];
    assert_int_equal(score_create(&s, 4, 3), STATUS_OK);
    assert_int_equal(score_add(&s, label, truth, 12), STATUS_OK);
    score_result r = score_finish(&s, NULL, share, majority, NULL);
    assert_close(r.purity, 7 / 10.0);
    assert_close(r.coverage, 10 / 11.0);
    assert_true(fabs(r.nmi - 0.44270128334605) < 1e-12);
    assert_true(fabs(r.ari - 0.20454545454545456) < 1e-12);
    assert_int_equal(majority[0], 0);
    assert_int_equal(majority[1], 1);
    assert_int_equal(majority[2], 2);
    assert_int_equal(majority[3], -1);
    assert_close(share[1], 0.4);
    assert_close(share[3], 0);
    assert_true(isnan(r.positive)); /* one image: no cross-image pair */
    score_destroy(&s);
}

static void test_odd_tables(void **state) {
    (void)state;
    const uint16_t one[] = {1, 1, 1}, bad[] = {0, 3, 0};
    score_table s;
    assert_int_equal(score_create(&s, 3, 3), STATUS_OK);
    score_result r = score_finish(&s, NULL, NULL, NULL, NULL);
    assert_true(isnan(r.nmi) && isnan(r.ari) && isnan(r.purity) && isnan(r.positive_mean));
    assert_int_equal(score_add(&s, bad, one, 3), STATUS_DATA);
    assert_int_equal(score_add(&s, one, bad, 3), STATUS_DATA);
    assert_int_equal(*s.pixels, 0);
    assert_int_equal(score_add(&s, one, one, 3), STATUS_OK);
    assert_int_equal(score_add(&s, one, one, 3), STATUS_OK);
    r = score_finish(&s, NULL, NULL, NULL, NULL);
    assert_true(r.nmi == 1 && r.ari == 1 && r.positive == 1 && r.positive_chance == 1);
    assert_true(isnan(r.negative) && isnan(r.negative_mean));
    score_destroy(&s);
    score_destroy(&s);
}

/* Counts whose pairs are beyond 64 bits. */
static void test_wide_sums(void **state) {
    (void)state;
    wide w = {{0}};
    int128 n = (int128)9700000000 * 9700000000, sum = 0;
    for (int i = 0; i < 1000; i++) {
        wide_add(&w, n + i);
        sum += n + i;
    }
    assert_true(wide_value(&w) == sum);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_odd_tables),
        cmocka_unit_test(test_wide_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
