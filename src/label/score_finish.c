/* Figures from the summed tables; score.h defines them. Pairs are counted in 128 bits and divided
 * once, at the end: a billion pixels have 10^18 pairs. The precisions leave out the pairs within
 * images; purity, NMI and ARI are over all pixels, as they are usually given. */
#include "src/label/score.h"

#include <math.h>

static int64_t cell(const score_table *s, int a, int y) {
    return s->table[(size_t)a * (size_t)s->classes + (size_t)y];
}

static int128 square(int64_t n) {
    return (int128)n * n;
}

/* NaN if the denominator is 0. */
static double ratio(int128 numerator, int128 denominator) {
    return (double)numerator / (double)denominator;
}

/* Ordered cross-image pairs whose first pixel has label a. */
typedef struct label_pairs {
    int128 all, same_label, same_class, both;
} label_pairs;

/* All pairs of the summed table, less those within each image, which the sums beside it hold. */
static label_pairs pairs_of_label(const score_table *s, int a) {
    label_pairs p = {.all = (int128)s->label[a] * *s->pixels - sum128_value(&s->all_of_label[a]),
        .same_label = square(s->label[a]) - sum128_value(&s->same_label[a]),
        .same_class = -sum128_value(&s->same_class_of_label[a]),
        .both = -sum128_value(&s->same_label_same_class[a])};
    for (int y = 0; y < s->classes; y++) {
        p.same_class += (int128)cell(s, a, y) * s->class[y];
        p.both += square(cell(s, a, y));
    }
    return p;
}

static int128 other_label(const label_pairs *p) {
    return p->all - p->same_label;
}

/* By inclusion and exclusion: neither the same label nor the same class. */
static int128 other_both(const label_pairs *p) {
    return p->all - p->same_label - p->same_class + p->both;
}

/* Over all labels together, every pair counts the same. */
static void score_by_pairs(const label_pairs *sum, score_result *r) {
    r->positive = ratio(sum->both, sum->same_label);
    r->negative = ratio(other_both(sum), other_label(sum));
    r->positive_chance = ratio(sum->same_class, sum->all);
    r->negative_chance = ratio(sum->all - sum->same_class, sum->all);
}

/* A mean over the labels that have pairs of a kind, and the mean chance of the same labels. */
typedef struct label_mean {
    double precision, chance;
    int labels;
} label_mean;

/* A label without pairs of the kind says nothing, and must not count as zero. */
static void mean_add(label_mean *m, int128 right, int128 pairs, double chance) {
    if (pairs <= 0) return;
    m->precision += ratio(right, pairs);
    m->chance += chance;
    m->labels++;
}

static int majority(const score_table *s, int a) {
    int most = 0;
    for (int y = 1; y < s->classes; y++)
        if (cell(s, a, y) > cell(s, a, most)) most = y;
    return s->label[a] > 0 ? most : -1;
}

/* What the report shows of a cluster. A cluster without pixels has no class. */
static score_cluster cluster_figures(const score_table *s, int a, const label_pairs *p) {
    int most = majority(s, a);
    double pixels = (double)s->label[a];
    return (score_cluster){.majority = most,
        .share = pixels / (double)*s->pixels,
        .purity = most < 0 ? NAN : (double)cell(s, a, most) / pixels,
        .precision = ratio(p->both, p->same_label),
        .chance = ratio(p->same_class, p->all)};
}

/* Sums over labels; also the figures of every cluster. */
static void score_pairs(const score_table *s, score_result *r, score_cluster *cluster) {
    label_pairs sum = {0};
    label_mean positive = {0}, negative = {0};
    for (int a = 0; a < s->k; a++) {
        label_pairs p = pairs_of_label(s, a);
        sum.all += p.all;
        sum.same_label += p.same_label;
        sum.same_class += p.same_class;
        sum.both += p.both;
        mean_add(&positive, p.both, p.same_label, ratio(p.same_class, p.all));
        mean_add(&negative, other_both(&p), other_label(&p), ratio(p.all - p.same_class, p.all));
        if (cluster) cluster[a] = cluster_figures(s, a, &p);
    }
    score_by_pairs(&sum, r);
    r->positive_mean = positive.precision / positive.labels;
    r->positive_mean_chance = positive.chance / positive.labels;
    r->negative_mean = negative.precision / negative.labels;
    r->negative_mean_chance = negative.chance / negative.labels;
}

/* The share that would be right if each cluster were its most frequent class. */
static double purity(const score_table *s) {
    int64_t right = 0;
    for (int a = 0; a < s->k; a++) {
        int most = majority(s, a);
        if (most >= 0) right += cell(s, a, most);
    }
    return (double)right / (double)*s->pixels;
}

/* In nats, of counts [n] that sum to `pixels`. */
static double entropy(const int64_t *count, int n, int64_t pixels) {
    double h = 0;
    for (int i = 0; i < n; i++)
        if (count[i] > 0) {
            double p = (double)count[i] / (double)pixels;
            h -= p * log(p);
        }
    return h;
}

/* Logarithms of quotients apart, as the product of two counts may be beyond what a double holds
 * exactly. Rounding may make it negative by a hair. */
static double nmi(const score_table *s) {
    double n = (double)*s->pixels, information = 0;
    double labels = entropy(s->label, s->k, *s->pixels);
    double classes = entropy(s->class, s->classes, *s->pixels);
    if (*s->pixels == 0) return NAN;
    if (labels + classes <= 0) return 1; /* one label, one class: they agree */
    for (int a = 0; a < s->k; a++)
        for (int y = 0; y < s->classes; y++) {
            double t = (double)cell(s, a, y), l = (double)s->label[a], c = (double)s->class[y];
            if (t > 0) information += t / n * (log(t / l) - log(c / n));
        }
    return 2 * fmax(information, 0) / (labels + classes);
}

static int128 unordered(int64_t n) {
    return (int128)n * (n - 1) / 2;
}

/* Hubert and Arabie 1985. */
static double ari(const score_table *s) {
    int128 both = 0, labels = 0, classes = 0;
    for (int a = 0; a < s->k; a++) {
        labels += unordered(s->label[a]);
        for (int y = 0; y < s->classes; y++) both += unordered(cell(s, a, y));
    }
    for (int y = 0; y < s->classes; y++) classes += unordered(s->class[y]);
    if (*s->pixels == 0) return NAN;
    double expected = (double)labels * ((double)classes / (double)unordered(*s->pixels));
    double most = ((double)labels + (double)classes) / 2;
    if (both == labels && both == classes) return 1; /* the same partition */
    return ((double)both - expected) / (most - expected);
}

/* Ordered cross-image pairs whose first pixel has class y. */
static score_class class_figures(const score_table *s, int y) {
    int128 all = (int128)s->class[y] * *s->pixels - sum128_value(&s->all_of_class[y]);
    int128 same_class = square(s->class[y]) - sum128_value(&s->same_class[y]);
    int128 same_label = -sum128_value(&s->same_label_of_class[y]);
    int128 both = -sum128_value(&s->same_class_same_label[y]);
    for (int a = 0; a < s->k; a++) {
        same_label += (int128)cell(s, a, y) * s->label[a];
        both += square(cell(s, a, y));
    }
    return (score_class){.share = (double)s->class[y] / (double)*s->pixels,
        .precision = ratio(both, same_label),
        .precision_chance = ratio(same_class, all),
        .recall = ratio(both, same_class),
        .recall_chance = ratio(same_label, all)};
}

score_result score_finish(const score_table *s, score_cluster *cluster, score_class *class) {
    score_result r = {0};
    score_pairs(s, &r, cluster);
    r.purity = purity(s);
    r.nmi = nmi(s);
    r.ari = ari(s);
    r.coverage = (double)*s->pixels / (double)(*s->pixels + *s->ignored);
    for (int y = 0; class && y < s->classes; y++) class[y] = class_figures(s, y);
    return r;
}
