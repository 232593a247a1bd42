/* What pretrain.method = "dense" adds to instance contrast: the cells of a view's map, each
 * compared with the one of the image's other view that its features match, and a queue of their
 * own. */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_DENSE_H
#define AUXSEG_APP_TRAINING_PRETRAIN_DENSE_H

#include "src/app/training/trainer.h"
#include "src/contrast/dense_nce.h"

typedef struct dense {
    trainer *t; /* borrowed */
    key_queue queue;
    dense_negatives negatives; /* of the queue */
    int cells, channels;       /* of the encoder's last map */
    int tiles;                 /* in which a view's cells go, each a thread's */
    panels *feature;           /* [local], of the views' keys, of length 1 */
    float *key;                /* [local, cells, D], of length 1 */
    float *pooled;             /* [images, D] of the global batch: the views' rows for the queue */
    double *loss;              /* [local, tiles] */
    dense_work *work;          /* [threads] */
    double *mean;              /* [threads, D] */
    float *row;                /* [threads, C or 2 TILE_ROWS D] */
    double *scale;             /* [threads, TILE_ROWS] */
} dense;

/* The queue alone, which a checkpoint may hold: before the trainer. n rows. */
status dense_create_queue(dense *x, const settings *s, size_t n);
/* Everything else, once the trainer has its plan and perhaps an earlier queue. Not collective. */
status dense_create(dense *x, trainer *t);
/* NULL-safe members. */
void dense_destroy(dense *x);

/* Keys of local view i, which is the encoder's image `at` (NETWORK_DENSE), by one thread. */
void dense_take_keys(dense *x, const plan *encoder, int at, int i, int thread);
/* Tile `tile` of local view i, the trainer's plan's image `at`, by one thread: its loss, and the
 * gradient of its cells' embeddings. of: the image that the view is of. */
void dense_tile_loss(dense *x, int i, int at, int tile, int32_t of, int thread);
/* Adds view i's dense loss, with its share of the whole, to loss; all tiles of it are done. */
void dense_add_loss(const dense *x, int i, double *loss);
/* x->pooled, gathered, with their images into the queue; before: as for key_queue_put. */
void dense_put(dense *x, uint64_t before, const int32_t *source);

#endif
