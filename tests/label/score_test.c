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

/* One image of one line. */
static status add(score_table *s, const uint16_t *label, const uint16_t *truth, int n) {
    score_image m;
    assert_int_equal(score_image_create(&m, s->k, s->classes), STATUS_OK);
    status st = score_count(&m, (score_map){label, 1, n}, (score_map){truth, 1, n});
    score_add(s, &m);
    score_image_destroy(&m);
    return st;
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
            add(i % 2 ? s : &other, p->label + i * PIXELS, p->truth + i * PIXELS, PIXELS),
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
    score_cluster cluster[K];
    score_class class[CLASSES];
    create_table(&s, &p);
    score_result r = score_finish(&s, cluster, class);
    pair_count c = brute(&p, -1, -1);
    assert_close(r.positive, c.both / c.same_label);
    assert_close(r.positive_chance, c.same_class / c.all);
    assert_close(
        r.negative, (c.all - c.same_label - c.same_class + c.both) / (c.all - c.same_label));
    assert_close(r.negative_chance, 1 - c.same_class / c.all);
    check_means(&p, &r);
    for (int a = 0; a < K; a++) {
        c = brute(&p, a, -1);
        assert_close(cluster[a].precision, c.both / c.same_label);
        assert_close(cluster[a].chance, c.same_class / c.all);
    }
    for (int y = 0; y < CLASSES; y++) {
        c = brute(&p, -1, y);
        assert_close(class[y].recall, c.both / c.same_class);
        assert_close(class[y].recall_chance, c.same_label / c.all);
        assert_close(class[y].precision, c.both / c.same_label);
        assert_close(class[y].precision_chance, c.same_class / c.all);
    }
    assert_true(isnan(class[CLASSES - 1].precision) && isnan(cluster[K - 1].precision));
    score_destroy(&s);
}

/* label, class of 12 pixels; scikit-learn 1.9: normalized_mutual_info_score,
 * adjusted_rand_score; purity and coverage by hand. */
static void test_partitions(void **state) {
    (void)state;
    const uint16_t label[] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2, LABEL_NONE, 2};
    const uint16_t truth[] = {0, 0, 1, 1, 1, 2, 1, 2, 2, 0, 1, LABEL_NONE};
    score_table s;
    score_cluster cluster[4];
    score_class class[3];
    assert_int_equal(score_create(&s, 4, 3), STATUS_OK);
    assert_int_equal(add(&s, label, truth, 12), STATUS_OK);
    score_result r = score_finish(&s, cluster, class);
    assert_close(r.purity, 7 / 10.0);
    assert_close(r.coverage, 10 / 11.0);
    assert_true(fabs(r.nmi - 0.44270128334605) < 1e-12);
    assert_true(fabs(r.ari - 0.20454545454545456) < 1e-12);
    assert_int_equal(cluster[0].majority, 0);
    assert_int_equal(cluster[1].majority, 1);
    assert_int_equal(cluster[2].majority, 2);
    assert_int_equal(cluster[3].majority, -1);
    assert_close(cluster[1].share, 0.4);
    assert_close(cluster[3].share, 0);
    assert_close(cluster[1].purity, 0.75);
    assert_true(isnan(cluster[3].purity));
    assert_close(class[1].share, 0.4);
    assert_true(isnan(r.positive)); /* one image: no cross-image pair */
    score_destroy(&s);
}

static void test_odd_tables(void **state) {
    (void)state;
    const uint16_t one[] = {1, 1, 1}, bad[] = {0, 3, 0};
    score_table s;
    assert_int_equal(score_create(&s, 3, 3), STATUS_OK);
    score_result r = score_finish(&s, NULL, NULL);
    assert_true(isnan(r.nmi) && isnan(r.ari) && isnan(r.purity) && isnan(r.positive_mean));
    assert_int_equal(add(&s, bad, one, 3), STATUS_DATA);
    assert_int_equal(add(&s, one, bad, 3), STATUS_DATA);
    assert_int_equal(*s.pixels, 0);
    assert_int_equal(add(&s, one, one, 3), STATUS_OK);
    assert_int_equal(add(&s, one, one, 3), STATUS_OK);
    r = score_finish(&s, NULL, NULL);
    assert_true(r.nmi == 1 && r.ari == 1 && r.positive == 1 && r.positive_chance == 1);
    assert_true(isnan(r.negative) && isnan(r.negative_mean));
    score_destroy(&s);
    score_destroy(&s);
}

/* A map of labels enlarged and one reduced, against the pixel whose area covers each centre. */
static void check_sizes(int height, int width) {
    const int h = 5, w = 7;
    uint16_t label[5 * 7], truth[40 * 33];
    int64_t expected[K][CLASSES] = {{0}}, ignored = 0;
    score_image m;
    score_table s;
    random_stream r = random_begin(9, RANDOM_SYNTH, 0, 0);
    for (int i = 0; i < h * w; i++) label[i] = (uint16_t)random_below(&r, K + 1);
    for (int i = 0; i < h * w; i++)
        if (label[i] == K) label[i] = LABEL_NONE;
    for (int i = 0; i < height * width; i++) truth[i] = (uint16_t)random_below(&r, CLASSES);
    truth[height * width - 1] = LABEL_NONE;
    for (int i = 0; i < height * width - 1; i++) {
        double y = (i / width + 0.5) * h / height, x = (i % width + 0.5) * w / width;
        uint16_t a = label[(int)floor(y) * w + (int)floor(x)];
        if (a == LABEL_NONE)
            ignored++;
        else
            expected[a][truth[i]]++;
    }
    assert_int_equal(score_image_create(&m, K, CLASSES), STATUS_OK);
    assert_int_equal(score_create(&s, K, CLASSES), STATUS_OK);
    score_map large = {truth, height, width};
    assert_int_equal(score_count(&m, (score_map){label, h, w}, large), STATUS_OK);
    score_add(&s, &m);
    assert_memory_equal(s.table, expected, sizeof expected);
    assert_int_equal(*s.ignored, ignored);
    /* Emptied: what follows starts from nothing. */
    score_add(&s, &m);
    assert_memory_equal(s.table, expected, sizeof expected);
    score_image_destroy(&m);
    score_destroy(&s);
}

static void test_sizes(void **state) {
    (void)state;
    static const int size[][2] = {{40, 33}, {5, 7}, {10, 14}, {37, 29}, {3, 2}, {1, 1}, {9, 4}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) check_sizes(size[i][0], size[i][1]);
}

/* Counts whose pairs are beyond 64 bits. */
static void test_sums_of_128_bits(void **state) {
    (void)state;
    sum128 w = {{0}};
    int128 n = (int128)9700000000 * 9700000000, sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum128_add(&w, n + i);
        sum += n + i;
    }
    assert_true(sum128_value(&w) == sum);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_odd_tables),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sums_of_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
