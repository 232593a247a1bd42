/* Quality of auxiliary labels against ground truth, without training: exact pair statistics
 * (DESIGN 1.4). Not collective: counts are int64 and add over ranks; pairs are 128-bit.
 *
 * The contingency table of one image is T[a, y] = pixels with label a and class y. Cross-image
 * pairs are all pairs of the summed table minus the pairs within each image's own table. */
#ifndef AUXSEG_LABEL_SCORE_H
#define AUXSEG_LABEL_SCORE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* A 128-bit sum as pieces that int64 reductions can add: value = sum of part[i] * 2^(32 i), each
 * part < 2^32 per addition. */
typedef struct wide {
    int64_t part[4];
} wide;

typedef struct score_table {
    int k, classes;
    int64_t *table;   /* [K, classes], all images */
    int64_t *ignored; /* [1]: labelled pixels whose auxiliary label is the ignore label */
    wide *same_label_same_class; /* [K]: ordered pairs within an image */
    wide *same_label;            /* [K] */
    wide *same_class;            /* [classes] */
    wide *all;                   /* [1] */
    void *block;
    size_t words; /* all of the above as one int64 block for comm_sum_i64 */
} score_table;

status score_create(score_table *s, int k, int classes);
void score_destroy(score_table *s);
/* One image: label, truth [n]; truth LABEL_IGNORE is skipped. */
status score_add(score_table *s, const uint16_t *label, const uint16_t *truth, size_t n);

typedef struct score_result {
    double positive, positive_chance, positive_mean,
        positive_mean_chance; /* P(same class | same label), by pairs and as the mean over labels */
    double negative, negative_chance, negative_mean,
        negative_mean_chance; /* P(other class | other label) */
    double purity, nmi, ari, coverage;
} score_result;

/* precision, share, majority [K] and recall [classes] may be NULL: per cluster P(same class | same
 * label), share of pixels, most frequent class; per class P(same label | same class). NaN where
 * undefined. */
score_result score_finish(const score_table *s, double *cluster_precision, double *cluster_share,
    int *cluster_class, double *class_recall);

#endif
