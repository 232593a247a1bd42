/* InfoNCE of a query q against its key k and a queue of negatives n_j (van den Oord, Li, Vinyals
 * 2018, arXiv:1807.03748, eq. 4; He et al. 2020, arXiv:1911.05722, eq. 1):
 *
 *   L = -log( e^{q.k/tau} / (e^{q.k/tau} + sum_j e^{q.n_j/tau}) )
 *
 *   dL/dq = ( (p_k - 1) k + sum_j p_j n_j ) / tau,   p the softmax of all terms
 *
 * j runs over the queue's rows but those of the query's own image. Keys are constants. Not
 * collective: the result depends on the query, its key and the queue alone. */
#ifndef AUXSEG_CONTRAST_INFO_NCE_H
#define AUXSEG_CONTRAST_INFO_NCE_H

#include "src/contrast/key_queue.h"

/* Rows of length 1 [D] and the query's image, borrowed. */
typedef struct info_nce_query {
    const float *query, *key;
    int32_t image;
} info_nce_query;

/* L; gradient [D] becomes scale dL/dq. Products of float32 values are summed in float64, in eight
 * parts in a fixed order. term [q->n] and sum [D] are for use within. */
double info_nce(const info_nce_query *x, const key_queue *q, double temperature, double scale,
    double *term, double *sum, float *gradient);

#endif
