/* Pixel-level InfoNCE with auxiliary labels, exactly and without the matrix
 * (src/contrast/README.md):
 *
 *   L_i = -1/|P(i)| sum_{p in P(i)} log( e^{z_i.z_p/tau} / (e^{z_i.z_p/tau} + sum_{n in N(i)}
 * e^{z_i.z_n/tau}) )
 *
 * Positives and negatives by `positives` and `scope`: "auxiliary": P(i) same label, N(i) another;
 * "augmentation": P(i) = {partner}, N(i) every other row; "both": P(i) same label or partner,
 * N(i) another label, the partner left out. scope "image": both restricted to rows of the same
 * image. Rows with label < 0 take no part (under "augmentation" only rows without a partner do
 * not). Anchors without a positive are left out; anchors without a negative count as 0; mean over
 * the rest. Labels may be in groups: rows of another label of the anchor's group are then neither
 * positives nor negatives of it, but for its partner.
 *
 * Not collective: mpi/pool.h gathers. Each row's result is computed by one thread over tiles in a
 * fixed order: the same bits for any number of threads and any split of the rows over callers. */
#ifndef AUXSEG_CONTRAST_LOSS_H
#define AUXSEG_CONTRAST_LOSS_H

#include "src/base/dtype.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum contrast_positives {
    POSITIVES_AUXILIARY,
    POSITIVES_AUGMENTATION,
    POSITIVES_BOTH
} contrast_positives;
typedef enum contrast_scope { SCOPE_GLOBAL, SCOPE_IMAGE } contrast_scope;

typedef struct contrast_options {
    contrast_positives positives;
    contrast_scope scope;
    double temperature;
    int threads;
    dtype type; /* DTYPE_BF16: of the rows as rounded to bf16; products are summed in fp32 */
    bool pairs; /* DTYPE_BF16: multiplied in pairs, which the processor must have (product.h); the
                   result is not the same bits as without */
    const int32_t *group; /* [labels], borrowed: of each label; NULL: each is its own. Not under
                             "augmentation" */
} contrast_options;

typedef struct contrast_stats {
    double loss;
    int64_t anchors, positives, negatives; /* anchors that count; pairs */
} contrast_stats;

/* The pool: n rows of D, all borrowed. */
typedef struct contrast_pool {
    size_t n;
    int d;
    const float *z;                         /* [n, D], unit rows */
    const int32_t *label, *image, *partner; /* [n]; partner: row index in the pool or -1 */
} contrast_pool;

/* What an anchor's gradient needs besides z: kept in a form that cannot overflow. */
typedef struct contrast_row {
    double log_negatives;         /* log of N_i = sum e^{s_in}; -inf: none */
    double log_q;                 /* log of Q_i = sum_p 1 / (e^{s_ip} + N_i) */
    double loss;                  /* L_i */
    int64_t positives, negatives; /* |P(i)|, |N(i)| */
} contrast_row;

/* Passes 1 and 2 for rows first .. first + count - 1: row [count] is written. */
status contrast_rows(const contrast_options *o, const contrast_pool *p, size_t first, size_t count,
    contrast_row *row);
/* Loss over all rows [n], in row order. */
contrast_stats contrast_total(const contrast_pool *p, const contrast_row *row);
/* d(loss)/dz of rows first .. first + count - 1: gradient [count, D] is written; row [n] of the
 * whole pool. */
status contrast_gradient(const contrast_options *o, const contrast_pool *p, const contrast_row *row,
    size_t first, size_t count, float *gradient);

#endif
