/* The screens of k-means: which centroids can be nearest to a row, by products in fast arithmetic
 * and a proved bound of their error. For kmeans_assign alone. Not collective.
 *
 * For row x and centroid c, with any vector m ("shift"): y = x - m, g = c - m, and
 *     G_c = |g|^2/2 - y.g = (|x-c|^2 - |y|^2)/2.
 * y and g are replaced by vectors a and b that the arithmetic holds exactly: y = a + e, g = b + f.
 * The screen computes p_c near |g|^2/2 - a.b. Then |p_c - G_c| <= E with
 *     E = |a| phi + |e| reach + noise,
 * where phi, reach and noise are the largest of a panel's centroids:
 *  1. y.g - a.b = a.f + e.b + e.f, at most |a||f| + |e|(|b| + |f|), by Cauchy-Schwarz. `reach` is
 *     |b| + |f|, the first part of `phi` is |f|. Both norms of residues are those of the vectors
 *     themselves, not differences of squares.
 *  2. f32, bf16: a product passes through at most n = D + slices roundings in any order, fused or
 *     not (bf16 x bf16 is exact in float32), and sum |a_j b_j| <= |a||b|: error <= 1.01 n u |a||b|,
 *     u = 2^-24 (D <= 65536: n u / (1 - n u) < 1.01 n u). What is flushed to zero or subnormal: at
 * most n 2^-125. int8: the sum of integers is exact (D <= 65536: below 2^31); its conversion, the
 * product of the two scales and their multiplication are three roundings: 3.1 u |a||b|, and where a
 * scale is subnormal 2^-149 2^31.
 *  3. |g|^2/2 rounded to float32, and p = fl(|g|^2/2 - t): at most 1.1 u (|g|^2 + |a||b|).
 *  `phi` = |f| + (1.01 n + 12) u reach (int8: 12 u reach), `noise` = 6 u |g|^2/2 + n 2^-110; with
 *  factors 1 + 2^-16 upward they cover 2., 3. and their own rounding. E in float32 takes 1 + 2^-20
 *  more. |a|, |e| of a row are rounded upward, too: see kmeans_rows.c.
 *
 * The *computed* defining distance q_c (float64) of x and c is |x-c|^2 (1 + r), |r| <= s =
 * (D/8 + 10) 2^-53 < 2^-39. Let P be an upper bound of G_b for some b. A centroid with
 * p_c - E > P + w, w = 2^-37 (|P| + |y|^2), has |x-c|^2/2 > |x-b|^2/2 + w; |x-b|^2/2 <= P +
 * |y|^2/2, so w > 2.1 s |x-b|^2/2, hence q_c > q_b: it is not the label, and no tie. Where q_b
 * itself is known, G_b <= (q_b (1 + 2^-38) - |y|^2)/2. Elements up to 2^50 keep everything finite.
 */
#ifndef AUXSEG_LABEL_KMEANS_SCREEN_H
#define AUXSEG_LABEL_KMEANS_SCREEN_H

#include "src/label/kmeans.h"
#include "src/label/kmeans_product.h"

/* int8 alone: y and g are rotated before. The same rotation of both changes no product and no norm;
 * it spreads what stands in a few large elements over all, so that the integers, whose unit is the
 * largest element's share, leave a smaller rest. In place: the Walsh-Hadamard transform, scaled to
 * be orthonormal, of successive segments whose sizes are powers of two (what is left of D modulo 16
 * stays). The result is off by at most (log2 D + 3) u |y|: each of the log2 D stages rounds each
 * element once, and is orthogonal. */
void screen_rotate(float *y, int d);
void screen_rotate_double(double *y, int d); /* u: 2^-53 */

/* Upward: not less than v. */
static inline float float_up(double v) {
    float f = (float)v;
    return (double)f < v ? f + __builtin_fabsf(f) * 0x1p-23f + 0x1p-149f : f;
}

/* Rows as the arithmetic takes them. */
typedef struct screen_rows {
    product_type type;
    const features *x;
    size_t steps;    /* of a row */
    float *shift;    /* [D]; zeros for f32 */
    uint32_t *data;  /* [n, steps]; NULL: f32 rows in their place */
    float *scale;    /* [n]: int8, what one unit of a row is worth; else NULL */
    int32_t *offset; /* [n]: int8, 128 times the sum of a row's integers; else NULL */
    float *norm;     /* [n] >= |a| */
    float *rest;     /* [n] >= |e|; f32: NULL, zero */
    float *half;     /* [n]: |y|^2/2, relative error below 2^-23 */
} screen_rows;

/* Not enough memory: STATUS_FAILED. x stays the caller's and must outlive r. square [n]: |x|^2 of
 * the rows, relative error below (D + 4) 2^-53, read in this call alone; NULL: not known. */
status screen_rows_create(
    screen_rows *r, const features *x, product_type type, const double *square, int threads);
void screen_rows_destroy(screen_rows *r);
/* Bytes a row of d elements takes. */
size_t screen_rows_bytes(product_type type, int d);

static inline float screen_rows_scale(const screen_rows *r, size_t i) {
    return r->scale ? r->scale[i] : 1;
}
static inline int32_t screen_rows_offset(const screen_rows *r, size_t i) {
    return r->offset ? r->offset[i] : 0;
}
static inline float screen_rows_rest(const screen_rows *r, size_t i) {
    return r->rest ? r->rest[i] : 0;
}
/* Row i [steps]; scratch [steps] is used where it is not stored. */
const void *screen_row(const screen_rows *r, size_t i, uint32_t *scratch);

/* Centroids in panels of neighbours, packed once an iteration. */
typedef struct screen_panels {
    product_type type;
    int k, d, panels; /* panels: even */
    size_t steps;
    int *centroid;              /* [panels * PANEL]: index of the column's centroid, -1: none */
    int *column;                /* [K] */
    uint32_t *data;             /* [panels, steps, PANEL] */
    float *half;                /* [panels * PANEL]: |g|^2/2; infinity where there is none */
    float *scale;               /* [panels]: int8, what one unit is worth; else 1 */
    float *phi, *reach, *noise; /* [panels] */
    double *scratch;            /* [scratch_threads, PANEL, D] */
    int scratch_threads;
    float most[3]; /* the largest phi, reach, noise of all */
} screen_panels;

/* order [K]: centroids in the order of columns. */
status screen_panels_create(
    screen_panels *p, product_type type, int k, int d, int threads, const int *order);
void screen_panels_destroy(screen_panels *p);
/* Packs c [K, D], shifted by `shift` [D]. */
void screen_panels_pack(screen_panels *p, const float *c, const float *shift, int threads);

/* E of row i and the bounds given. */
static inline float screen_error(
    const screen_rows *r, size_t i, float phi, float reach, float noise) {
    return (r->norm[i] * phi + screen_rows_rest(r, i) * reach + noise) * (1 + 0x1p-20f);
}

/* Centroids so that neighbours stand together: halves, again and again, along the line between two
 * far ones, down to panels. order [K] out. The labels do not depend on it. */
status screen_panel_order(const float *c, int k, int d, int *order);

#endif
