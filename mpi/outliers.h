/* The farthest rows of all ranks, exactly, the same for any number of ranks. */
#ifndef AUXSEG_MPI_OUTLIERS_H
#define AUXSEG_MPI_OUTLIERS_H

#include "mpi/comm.h"
#include "src/label/kmeans_options.h"

/* What is farthest: bits of the threshold distance (src/label/quantile.h), and how many of this
 * rank's rows at exactly the threshold belong to it, in their order: [groups], owned. */
typedef struct farthest {
    int groups;
    uint32_t *threshold;
    int64_t *take;
} farthest;

/* The want[g] rows of group g with the largest distance; of equal ones those first in the order of
 * ranks, then rows: (image, pixel). distance [n] >= 0 of this rank's rows; group [n] in [0, groups)
 * or LABEL_NONE, NULL if there is one group; want [groups], the same on every rank, at most the
 * rows of the group. Collective. */
status farthest_find(const comm *c, const float *distance, const uint16_t *group, size_t n,
    int groups, const int64_t *want, farthest *out);
void farthest_destroy(farthest *f);
/* Asked of this rank's rows in order, once each: is it one of them? Not collective. */
bool farthest_next(farthest *f, float distance, int group);

/* label [n] of the farthest o->outliers share of all rows, or of each of K clusters (o->scope),
 * becomes LABEL_NONE: of m rows exactly round(share * m). *threshold: the squared distance beyond
 * which a row is an outlier; infinity if there is none, NaN for the scope of clusters. Collective.
 */
status outliers_mark(const comm *c, const kmeans_options *o, const float *distance, uint16_t *label,
    size_t n, double *threshold);

#endif
