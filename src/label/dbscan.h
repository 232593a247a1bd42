/* Local arithmetic of DBSCAN (Ester, Kriegel, Sander, Xu, KDD 1996) on a sample of rows;
 * mpi/dbscan.h is the collective. Not collective.
 *
 * Two rows are neighbours if kmeans_distance, in float64, of the two is at most eps^2; a row is its
 * own neighbour, too. A row with at least min_points neighbours is a core point; core points that
 * are neighbours are of one cluster; a row that is none belongs to a cluster if a core point of it
 * is a neighbour, else it is noise.
 *
 * Pairs are screened by products in float32. With h = |x|^2/2 + |y|^2/2, which is at least |x||y|,
 * and u = 2^-24: x.y is off by at most 1.01 (D + 1) u |x||y| (a term passes through its product's
 * and at most D sums' roundings), the two halves by u h, their sum and the last difference by u h
 * and 2.1 u h, so that q = h - x.y is off from |x-y|^2/2 by at most E = 1.02 (D + 16) u h + D
 * 2^-110; the 16 cover the roundings of E and of q +- E as well, the last term what is flushed to
 * zero. kmeans_distance is |x-y|^2 (1 + r), |r| < 2^-39 (kmeans_screen.h), D <= 65536. Pairs with
 * q - E > eps^2/2 (1 + 2^-37) are none, those with q + E < eps^2/2 (1 - 2^-37) are neighbours, the
 * rest is decided by kmeans_distance itself. */
#ifndef AUXSEG_LABEL_DBSCAN_H
#define AUXSEG_LABEL_DBSCAN_H

#include "src/label/kmeans.h"

/* Rows packed for products. */
typedef struct dbscan_rows {
    const float *x; /* [n, D], borrowed */
    size_t n;       /* below 2^31 */
    int d;
    float *panel; /* [panels, D, OUTER_F32]: rows side by side */
    float *half;  /* [panels * OUTER_F32]: |x|^2/2 */
} dbscan_rows;
/* |elements| are at most 2^50. */
status dbscan_rows_create(dbscan_rows *r, const float *x, size_t n, int d);
void dbscan_rows_destroy(dbscan_rows *r);

/* Work is dealt out as `part` of `parts`; results of parts are combined as each one says. */
typedef struct dbscan_share {
    double eps; /* at most 2^50 */
    int part, parts, threads;
} dbscan_share;

/* Pairs of blocks of rows are taken in a fixed order, some after others, so that who counts or
 * joins can stop in between: how many there are, and about how many take a second or two. */
size_t dbscan_steps(const dbscan_rows *x);
size_t dbscan_steps_at_once(const dbscan_rows *x, const dbscan_share *s);
typedef struct dbscan_range {
    size_t first, end; /* steps */
} dbscan_range;
/* count [n] += the neighbours that this part finds in these steps: parts and steps add up. */
void dbscan_count(const dbscan_rows *x, const dbscan_share *s, dbscan_range steps, int64_t *count);

/* A forest: parent[i] <= i, a root is its own parent. Joins core points that this part finds in
 * these steps to be neighbours; on return every parent is a root, the lowest index of its tree. On
 * failure parent is not touched. */
status dbscan_join(
    const dbscan_rows *core, const dbscan_share *s, dbscan_range steps, int32_t *parent);
/* Joins what is joined in `other` [n], too: forests of parts are combined. Whether that changed
 * parent. */
int dbscan_unite(int32_t *parent, const int32_t *other, size_t n);
/* cluster [n]: trees by number, in the order of their roots; returns how many. */
int dbscan_number(const int32_t *parent, size_t n, int32_t *cluster);

/* Blocks of x's rows, which dbscan_border takes one after another, and about how many take a second
 * or two. */
size_t dbscan_border_steps(const dbscan_rows *x);
size_t dbscan_border_at_once(const dbscan_rows *x, const dbscan_rows *core, const dbscan_share *s);
/* label [x->n] becomes, for the rows of this part and these steps, the lowest cluster among
 * neighbouring core points; rows without one, and of other parts, stay: from labels of -1, the
 * largest of all parts' is the label. cluster [core->n]. */
void dbscan_border(const dbscan_rows *x, const dbscan_rows *core, const int32_t *cluster,
    const dbscan_share *s, dbscan_range steps, int32_t *label);

/* centroids [K, D]: the mean of each cluster's core points (of length 1 if cosine), summed in
 * float64 in their order. core [n, D], cluster [n] in [0, K), every cluster with a point. */
status dbscan_means(const float *core, const int32_t *cluster, size_t n, int d, int k, int cosine,
    float *centroids);
/* label [x->n]: the cluster of each row's nearest core point (of equally near ones the first) if
 * that is a neighbour, else LABEL_NONE. core [n, D], cluster [n] below LABEL_NONE. */
status dbscan_extend(const features *x, const float *core, const int32_t *cluster, size_t n,
    double eps, int threads, uint16_t *label);

#endif
