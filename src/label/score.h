/* Quality of auxiliary labels against ground truth, without training: exact pair statistics
 * over all images. Not collective: counts are int64 and add over ranks; pairs are 128-bit.
 *
 * The contingency table of one image is T[a, y] = pixels with label a and class y. Cross-image
 * pairs are all pairs of the summed table minus the pairs within each image's own table. Pairs are
 * ordered, and only pixels with both an auxiliary label and a class take part. */
#ifndef AUXSEG_LABEL_SCORE_H
#define AUXSEG_LABEL_SCORE_H

#include "src/base/status.h"
#include "src/label/wide.h"

#include <stddef.h>
#include <stdint.h>

/* Within an image, T is its own table, L[a] and C[y] its sums over classes and labels, n over both;
 * each `wide` is the sum over images of what stands beside it. */
typedef struct score_table {
    int k, classes;
    int64_t *table;              /* [K, classes], all images */
    int64_t *label, *class;      /* [K], [classes]: its sums over classes, over labels */
    int64_t *pixels;             /* [1]: its sum */
    int64_t *ignored;            /* [1]: pixels with a class but no auxiliary label */
    wide *same_label_same_class; /* [K]: sum_y T[a, y]^2 */
    wide *same_label;            /* [K]: L[a]^2 */
    wide *same_class_of_label;   /* [K]: sum_y T[a, y] C[y] */
    wide *all_of_label;          /* [K]: L[a] n */
    wide *same_class_same_label; /* [classes]: sum_a T[a, y]^2 */
    wide *same_class;            /* [classes]: C[y]^2 */
    wide *all;                   /* [1]: n^2 */
    void *block;
    size_t words;   /* all of the above as one int64 block for comm_sum_i64 */
    int64_t *image; /* [K + 1, classes + 1]: counts of one image; zeros between calls */
} score_table;

status score_create(score_table *s, int k, int classes);
/* NULL-safe on the members. */
void score_destroy(score_table *s);
/* One image: label, truth [n]; pixels whose truth is LABEL_NONE (ignored) are skipped. STATUS_DATA,
 * and nothing is added, when a label or class is out of range; the caller knows the image's name.
 */
status score_add(score_table *s, const uint16_t *label, const uint16_t *truth, size_t n);

/* Two pixels are drawn from different images.
 * positive: P(same class | same label); negative: P(other class | other label). By pairs: every
 * pair counts the same. _mean: the plain mean over labels of the same probability given that the
 * first pixel has the label.
 * Chance is what the labels would give if they said nothing: by pairs P(same class) and P(other
 * class) of any two pixels; for the mean, the mean over labels of the same given that the first
 * pixel has the label.
 * purity, nmi (arithmetic mean of the entropies) and ari are over all pixels together, coverage is
 * the share of pixels with a class that have a label. NaN where undefined. */
typedef struct score_result {
    double positive, positive_chance, positive_mean, positive_mean_chance;
    double negative, negative_chance, negative_mean, negative_mean_chance;
    double purity, nmi, ari, coverage;
} score_result;

/* cluster_precision, cluster_share, cluster_class [K] and class_recall [classes] may be NULL: per
 * cluster P(same class | same label), share of the labelled pixels, most frequent class (the lowest
 * of equal ones, -1 if empty); per class P(same label | same class). NaN where undefined. */
score_result score_finish(const score_table *s, double *cluster_precision, double *cluster_share,
    int *cluster_class, double *class_recall);

#endif
