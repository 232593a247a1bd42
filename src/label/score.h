/* Quality of auxiliary labels against ground truth, without training: exact pair statistics
 * over all images. Not collective: counts are int64 and add over ranks; pairs are 128-bit. Results
 * do not depend on threads, ranks or the order of images.
 *
 * The contingency table of one image is T[a, y] = pixels with label a and class y. Cross-image
 * pairs are all pairs of the summed table minus the pairs within each image's own table. Pairs are
 * ordered, and only pixels with both an auxiliary label and a class take part.
 *
 * Pixels are those of the ground truth: a label map of another size is enlarged (or reduced) to it
 * by the nearest pixel, the one that covers the centre, as labelmap_resize does for overlays. */
#ifndef AUXSEG_LABEL_SCORE_H
#define AUXSEG_LABEL_SCORE_H

#include "src/base/status.h"
#include "src/base/sum128.h"

#include <stddef.h>
#include <stdint.h>

/* Within an image, T is its own table, L[a] and C[y] its sums over classes and labels, n over both;
 * each sum128 is the sum over images of what stands beside it. */
typedef struct score_table {
    int k, classes;
    int64_t *table;                /* [K, classes], all images */
    int64_t *label, *class;        /* [K], [classes]: its sums over classes, over labels */
    int64_t *pixels;               /* [1]: its sum */
    int64_t *ignored;              /* [1]: pixels with a class but no auxiliary label */
    sum128 *same_label_same_class; /* [K]: sum_y T[a, y]^2 */
    sum128 *same_label;            /* [K]: L[a]^2 */
    sum128 *same_class_of_label;   /* [K]: sum_y T[a, y] C[y] */
    sum128 *all_of_label;          /* [K]: L[a] n */
    sum128 *same_class_same_label; /* [classes]: sum_a T[a, y]^2 */
    sum128 *same_class;            /* [classes]: C[y]^2 */
    sum128 *same_label_of_class;   /* [classes]: sum_a T[a, y] L[a] */
    sum128 *all_of_class;          /* [classes]: C[y] n */
    sum128 *all;                   /* [1]: n^2 */
    void *block;
    size_t words; /* all of the above as one int64 block for comm_sum_i64 */
} score_table;

status score_create(score_table *s, int k, int classes);
/* NULL-safe on the members. */
void score_destroy(score_table *s);

/* The table of one image: a thread's own. */
typedef struct score_image {
    int k, classes, labels;
    int64_t *count; /* [K + 1, classes + 1]; row K: no label; column `classes`: void */
    int64_t *class; /* [classes] */
    int32_t *label; /* [labels]: those that the image has, up to K + 1 */
    uint8_t *seen;  /* [K + 1] */
} score_image;

status score_image_create(score_image *m, int k, int classes);
/* NULL-safe on the members. */
void score_image_destroy(score_image *m);

typedef struct score_map {
    const uint16_t *value; /* [height, width]; LABEL_NONE: no label, no class; borrowed */
    int height, width;
} score_map;

/* Counts one image, of which m has none yet. STATUS_DATA, and nothing is counted, when a label or
 * class is out of range; the caller knows the image's name. */
status score_count(score_image *m, score_map label, score_map truth);
/* Adds the image to s, of the same K and classes, and empties m. */
void score_add(score_table *s, score_image *m);

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

/* The first pixel has the label. NaN where undefined. */
typedef struct score_cluster {
    int majority;     /* the most frequent class, the lowest of equal ones; -1 if empty */
    double share;     /* of the labelled pixels */
    double purity;    /* share of the majority among the cluster's pixels */
    double precision; /* P(same class | same label) */
    double chance;    /* P(same class) */
} score_cluster;

/* The first pixel has the class y. NaN where undefined. */
typedef struct score_class {
    double share;                       /* of the labelled pixels */
    double precision, precision_chance; /* P(second y | same label); P(second y) */
    double recall, recall_chance;       /* P(same label | second y); P(same label) */
} score_class;

/* cluster [K] and class [classes] are written; each may be NULL. */
score_result score_finish(const score_table *s, score_cluster *cluster, score_class *class);

#endif
