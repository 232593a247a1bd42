/* What is known of a row's distances from earlier iterations, so that settled rows, and far groups
 * of centroids, leave the product (Ding et al., "Yinyang K-Means", ICML 2015, with groups that are
 * panels of the product). For kmeans_assign alone. Not collective.
 *
 * upper: |x - c| of the row's centroid is at most upper + moved[c]. lower: every other centroid of
 * group g is at least lower * unit - drift[g] away. moved and drift add up, since the bounds were
 * set, how far a centroid, and the fastest of a group, has gone: triangle inequality. Distances
 * here are lengths, not squares, and all roundings go outward. Where
 *     lower * unit - drift[g] > (upper + moved) (1 + 2^-20)
 * no centroid of g can be the label: its computed distance is larger than that of the row's own
 * (their relative errors are below 2^-38, see kmeans_screen.h). */
#ifndef AUXSEG_LABEL_KMEANS_BOUNDS_H
#define AUXSEG_LABEL_KMEANS_BOUNDS_H

#include "src/label/kmeans_screen.h"

enum { BOUNDS_GROUPS = 128 }; /* at most: 256 bytes a row */

typedef struct bounds {
    size_t n;
    int k, groups, stride; /* of lower: groups, rounded up to 16 */
    int span;              /* panels of a group */
    uint16_t *lower;       /* [n, stride] */
    uint16_t *label;       /* [n]: the centroid that `upper` is about */
    float *upper, *unit;   /* [n] */
    double *moved;         /* [K] */
    double *drift;         /* [groups] */
    float *moved_up;       /* [K]: moved, rounded upward, as the rows need it */
    float *drift_up;       /* [stride]; minus infinity beyond the groups */
} bounds;

status bounds_create(bounds *b, size_t n, int k, int panels);
void bounds_destroy(bounds *b);
size_t bounds_bytes(int k); /* of a row */
/* Before all rows are set anew. */
void bounds_reset(bounds *b);
/* Centroids [K, D] moved from `old` to `c`. */
void bounds_move(bounds *b, const screen_panels *p, const float *old, const float *c);

/* Row i's centroid is `label`, at the defining squared distance `square`. */
void bounds_set_label(bounds *b, size_t i, int label, double square);
/* At most the distance of row i to its centroid now. */
static inline float bounds_upper(const bounds *b, size_t i) {
    float u = b->upper[i], m = b->moved_up[b->label[i]];
    return u + m + (__builtin_fabsf(u) + m) * 0x1p-22f;
}
/* Chooses row i's unit: its centroid is at squared distance `square`, |y|^2/2 is half. */
void bounds_set_unit(bounds *b, size_t i, double square, float half);
/* The centroids of group g but the label are at least length[r] away from row row[r], r < count. */
void bounds_set_lower(bounds *b, const size_t *row, int count, int g, const float *length);
/* One of them is at the defining squared distance `square`. */
void bounds_lower(bounds *b, size_t i, int g, double square);
/* Lengths of all groups at once: [stride]. */
void bounds_set_all(bounds *b, size_t i, const float *length);
/* Bit g of mask: may the label be in group g? Returns whether any is set. */
int bounds_failing(const bounds *b, size_t i, float upper, uint64_t mask[2]);

#endif
