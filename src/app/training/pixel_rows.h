/* What the contrastive loss compares of a step's batch: a few pixels of each of the network's
 * images, their embeddings as rows of the pool of all ranks, and the way of the gradient back to
 * the network's output. Rows stand in the order of the batch, so that the pool is in one order,
 * too, however many ranks there are. A step reads
 *
 *   st = pixel_rows_begin(r, batch, grid);
 *   ... trainer_begin ...
 *   st = pixel_rows_forward(r);
 *   if (st == STATUS_OK) st = pixel_rows_loss(r, weight, &stats);
 *   for each wave, the last first {
 *       ... trainer_forward, but for the last ...
 *       pixel_rows_scatter(r, k);
 *       ... trainer_backward ...
 *   }
 *
 * Results are the same bits for any number of ranks, threads and waves. */
#ifndef AUXSEG_APP_TRAINING_PIXEL_ROWS_H
#define AUXSEG_APP_TRAINING_PIXEL_ROWS_H

#include "mpi/pool.h"
#include "src/app/stage/stage.h"
#include "src/app/training/batches.h"
#include "src/contrast/loss.h"

typedef struct pixel_rows_options {
    int output; /* of the network: the embeddings */
    contrast_positives positives;
    samples *images;      /* borrowed, for their names */
    pool_queue *queue;    /* borrowed: pixels of earlier steps, or NULL */
    const int32_t *group; /* borrowed: of each label, or NULL */
} pixel_rows_options;

typedef struct pixel_rows {
    trainer *t; /* borrowed */
    pixel_rows_options o;
    const batch *now;                 /* this step's */
    int h, w, d;                      /* of the embeddings: grid and dimensions */
    int wanted;                       /* pixels an image of the network: pretrain.pixels */
    size_t n;                         /* rows of this rank */
    float *z, *gradient;              /* [n, D]: rows of length 1; of the loss */
    double *scale;                    /* [n]: unit_rows' */
    int32_t *label, *image, *partner; /* [n] */
    pool_exchange *exchange;          /* owned: the loss's */
    float *key;                       /* [n], the draw of a bounded pool, or NULL */
} pixel_rows;

/* Whether pretrain.pool may leave rows of `images` images of the network out. Not collective. */
bool pixel_rows_bounded(const settings *s, int images);

/* The stage's key, and how a loss in bf16 is multiplied: for checkpoints. Not collective. */
uint64_t pixel_rows_key(const stage *t);

/* The grid of the network's output: what its label maps are made for. t is borrowed. Collective. */
status pixel_rows_create(pixel_rows *r, trainer *t, const pixel_rows_options *o);
/* Collective. */
void pixel_rows_destroy(pixel_rows *r);

/* Pixels of local image i, evenly over the labels of its map grid [h, w], into b->chosen and
 * b->count: a function of seed, step and place. Not collective; thread-safe. */
status pixel_rows_choose(const pixel_rows *r, batch *b, int i, const uint16_t *grid);
/* Which of the chosen pixels take part, at most pretrain.pool of all ranks, and their labels, of
 * the maps grid [local, h, w]. b is borrowed for the step. Collective. */
status pixel_rows_begin(pixel_rows *r, batch *b, const uint16_t *grid);
/* Leaves out chosen pixels of the batch as pretrain.pool has it. The same ones for any number of
 * ranks. Collective. */
status pixel_rows_draw(pixel_rows *r, batch *b);
/* All waves through the network: the loss compares their embeddings with each other. Those of the
 * last wave still stand when it returns. STATUS_NONFINITE names the first image whose embeddings
 * are not finite. Collective. */
status pixel_rows_forward(pixel_rows *r);
/* Loss of the pool of all ranks, by [pretrain], and weight times its gradient to this rank's rows.
 * *stats is of the loss without the weight. Collective. */
status pixel_rows_loss(pixel_rows *r, float weight, contrast_stats *stats);
/* The gradient of wave k through the normalisation into the plan's output gradients. Not
 * collective. */
void pixel_rows_scatter(pixel_rows *r, int k);

#endif
