/* Pixels of earlier steps in contrastive pretraining: the queue that the loss compares with, as a
 * part of a training's checkpoints. */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_QUEUE_H
#define AUXSEG_APP_TRAINING_PRETRAIN_QUEUE_H

#include "mpi/pool_queue.h"
#include "src/app/training/trainer.h"

enum { PRETRAIN_QUEUE_EXTRAS = 3 };

typedef struct pretrain_queue {
    pool_queue *pool;                              /* owned; NULL: pretrain.pixel_queue is 0 */
    checkpoint_extra extra[PRETRAIN_QUEUE_EXTRAS]; /* borrowed by the trainer, for its life */
} pretrain_queue;

/* Before the trainer is created, whose options it adds to. labels: how many there can be. c and s
 * are borrowed for its life. Collective. */
status pretrain_queue_create(
    pretrain_queue *q, const comm *c, const settings *s, int labels, trainer_options *o);
/* Once the trainer is there: what it has read of a checkpoint, to all nodes. Collective. */
void pretrain_queue_share(pretrain_queue *q);
/* Collective. NULL-safe members. */
void pretrain_queue_destroy(pretrain_queue *q);

#endif
