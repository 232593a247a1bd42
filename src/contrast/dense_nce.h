/* The dense half of DenseCL (Wang, Zhang, Shen, Kong, Li 2021, arXiv:2011.09157, eq. 2): each cell
 * of a view's map of embeddings is to find the one of the other view that shows the same thing.
 *
 *   c(i) = argmax_j  f_i . f'_j / (|f_i| |f'_j|)      f, f': the backbone's features of both views
 *
 *   L_i = -log( e^{q_i.k_c(i)/tau} / (e^{q_i.k_c(i)/tau} + sum_j e^{q_i.n_j/tau}) )
 *
 * q_i: the cell's embedding; k: keys of the other view's cells; n_j: the rows of a queue, each the
 * mean of an earlier view's dense embeddings, but those of the query's own image. Not collective;
 * a result depends on the arguments alone. Products and exponentials are float32, sums of them
 * float64 over blocks of TILE_COLUMNS. */
#ifndef AUXSEG_CONTRAST_DENSE_NCE_H
#define AUXSEG_CONTRAST_DENSE_NCE_H

#include "src/contrast/key_queue.h"
#include "src/contrast/panels.h"

/* A queue's rows, as they are compared with queries, and as they are summed. */
typedef struct dense_negatives {
    const key_queue *queue; /* borrowed */
    int pitch;              /* D to whole panels */
    panels right;
    float *row; /* [n to whole blocks, pitch], zeros beyond */
} dense_negatives;

/* With the queue's rows as they are; d as in the queue. */
status dense_negatives_create(dense_negatives *out, const key_queue *q);
/* NULL-safe members. */
void dense_negatives_destroy(dense_negatives *x);
/* Row i of the queue has changed. */
void dense_negatives_update(const dense_negatives *x, size_t i);

/* The row [D] of a view for the queue: the mean of its embeddings [cells, D], brought to length 1.
 * sum [D] is for use within. */
void dense_pool(const float *embedding, size_t cells, int d, double *sum, float *row);

/* Memory of one thread. */
typedef struct dense_work {
    product_word *left;
    float *dot, *part; /* part [TILE_ROWS, pitch] */
    double *sum;       /* [TILE_ROWS, pitch] */
} dense_work;

/* For maps of `cells` cells with features of `channels`. */
status dense_work_create(
    dense_work *out, const dense_negatives *negatives, size_t cells, int channels);
/* NULL-safe members. */
void dense_work_destroy(dense_work *w);

/* match [count], count <= TILE_ROWS: c of cells with features [count, C], among those of the other
 * view, which have length 1; ties go to the lowest index. */
void dense_match(const float *feature, int count, const panels *other, dense_work *w, int *match);

/* Some cells of a view, all borrowed. */
typedef struct dense_queries {
    int count;          /* at most TILE_ROWS */
    const float *query; /* [count, D], of length 1 */
    const float *key;   /* [cells, D] of the other view, of length 1 */
    const int *match;   /* [count] */
    int32_t image;
} dense_queries;

/* Sum of L_i, in the order of i; gradient [count, D] becomes scale dL_i/dq_i. */
double dense_nce(const dense_queries *x, const dense_negatives *negatives, double temperature,
    double scale, dense_work *w, float *gradient);

#endif
