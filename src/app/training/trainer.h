/* What the two training stages share: the network of the step, its plan and optimiser, the exact
 * gradient of the global batch, checkpoints, metrics. A stage's loop reads
 *
 *   while (trainer_next(t)) {
 *       trainer_input(t, this rank's images of the batch);
 *       do {
 *           trainer_begin(t);
 *           for each wave k < t->waves.count {
 *               st = trainer_forward(t, k);
 *               ... the loss of its images into plan_output_gradient ...
 *               st = trainer_backward(t, k, st);
 *           }
 *           trainer_end(t, st, &again);
 *       } while (again);
 *       trainer_update(t, loss, anchors);
 *   }
 *
 * Waves (src/app/training/waves.h) come in any order; a forward pass may be done again. Ranks may
 * have different numbers of them, so that the ranks agree on a failure in trainer_end alone.
 *
 * Every function that says collective returns the same status on every rank. Results are the same
 * bits for any number of ranks and threads, interrupted or not. */
#ifndef AUXSEG_APP_TRAINING_TRAINER_H
#define AUXSEG_APP_TRAINING_TRAINER_H

#include "io/dataset/dataset.h"
#include "io/files/metrics.h"
#include "io/weights/checkpoint_writer.h"
#include "mpi/gradient_sync.h"
#include "src/app/stage/arithmetic.h"
#include "src/app/stage/model_setup.h"
#include "src/app/training/norm_statistics.h"
#include "src/app/training/waves.h"
#include "src/base/log.h"
#include "src/base/settings.h"
#include "src/base/timer.h"
#include "src/model/network.h"
#include "src/nn/graph/optimizer.h"
#include "src/nn/graph/schedule.h"
#include "src/nn/plan/plan.h"

struct validation;

typedef struct trainer_options {
    const char *stage;  /* name of checkpoints and messages, borrowed */
    const char *metric; /* name in metrics.csv, without the round, borrowed */
    int round;
    network_end end;
    bool twin;           /* a second network learns beside the first, which alone is written */
    bool contrast;       /* embeddings beside the classes, output 1; their head is not written */
    const char *weights; /* initial ones, a path; "": random */
    uint64_t key; /* hash of what the result depends on: checkpoints of another are not continued */
    const arithmetic *how; /* borrowed for trainer_create */
    int together;          /* images that one rank must hold: 2 for the views of an image, else 1 */
    int images;            /* of the global batch, as the network sees them */
    int crop, steps, warmup;
    double average;     /* decay of the averaged weights that are written; 0: none */
    bool average_aside; /* they serve the training, with that decay from the first step on: what
                           is written are the weights */
    const checkpoint_extra *extra; /* [extras], borrowed: what else a checkpoint holds */
    int extras;
    struct validation *validation; /* looks at images on the way; borrowed; NULL: nobody does */
    double lr, head_lr, power; /* head_lr: factor of lr for GROUP_HEAD; power: of the schedule */
    schedule_kind schedule;
    optimizer_options optimizer;
} trainer_options;

typedef struct trainer {
    const comm *c;
    const settings *s;
    trainer_options o;
    model_setup model; /* its network, and how that is given images */
    graph *g;
    parameters *p;
    parameters *average; /* of p; NULL: none */
    gradient *gradient;
    gradient_sync *sync;
    optimizer optimizer;
    plan *plan;
    metrics *metrics; /* rank 0's */
    timers time;
    int64_t step;       /* of the loop, from 0 */
    int deal;           /* images dealt together: a norm group, or `together` */
    int unit;           /* images whose gradients are added before they are rounded */
    int first, local;   /* this rank's images of the global batch */
    waves waves;        /* in which they pass */
    int left;           /* waves whose backward pass is due in this step */
    float *input;       /* [local, crop, crop, 3], borrowed: the batch, where there are several */
    int units, threads; /* units of the global batch */
    double rate, began; /* learning rate of this step; start of the stage */
    int64_t resumed;    /* steps that were done before this start */
    int64_t timed;      /* steps that were done before its clock began: run.untimed_steps more */
    double sent;        /* traffic_sent() at that moment */
    double step_began;  /* this step: its seconds in metrics.csv */
    int64_t saved;      /* step of the newest checkpoint written at once; 0: there is none */
    checkpoint_writer *writer; /* rank 0's, of those written beside the steps, or NULL */
    norm_statistics statistics;
    progress bar;
    char note[32]; /* beside it: the last step's loss */
} trainer;

/* Continues the newest checkpoint of the same key. d is borrowed. Collective. */
status trainer_create(
    trainer **out, const comm *c, const settings *s, const dataset *d, const trainer_options *o);
/* NULL-safe. */
void trainer_destroy(trainer *t);

/* Whether a step is left: o.steps are not done, and the validation has not ended the training. */
bool trainer_next(trainer *t);
/* The batch's images [local, crop, crop, 3]: exchanged with the plan's, or, where they pass in
 * waves, borrowed until the next. Not collective. */
void trainer_input(trainer *t, float **input);
/* The gradient is zero. Not collective. */
void trainer_begin(trainer *t);
/* Images [first, first + returned) of this rank's are wave k: the plan's images from 0 on. Not
 * collective. */
int trainer_wave(const trainer *t, int k, int *first);
/* Wave k. Collective under norm "sync", which has one wave; otherwise not. */
status trainer_forward(trainer *t, int k);
/* The backward pass of the wave that trainer_forward was last called for, once for each. st: how
 * that and the loss went on this rank; returns the worse one. Collective like trainer_forward. */
status trainer_backward(trainer *t, int k, status st);
/* Ends the step's gradient; st: how it went on this rank. *again: the gradient's scale was off and
 * has been set: all waves anew. STATUS_NONFINITE names step and parameter. Collective. */
status trainer_end(trainer *t, status st, bool *again);
/* Optimiser, norm statistics, metrics, checkpoint. STATUS_STOPPED, the state saved, when asked to
 * stop. STATUS_NONFINITE, with step and tensor, before anything is written, if the loss, a weight,
 * a statistic or a state of the optimiser is not finite, or a variance is below zero. anchors: NAN
 * where nothing is contrasted. Collective. */
status trainer_update(trainer *t, double loss, double anchors);
/* Figures of all images of the global batch [images], each rank's own already in place. Collective.
 */
void trainer_gather_images(const trainer *t, double *figure);
/* Writes the weights; *hash of them. Collective. */
status trainer_finish(trainer *t, const char *path, uint64_t *hash);
/* Removes the stage's checkpoints, once run.json says that it is done. Collective. */
void trainer_forget(trainer *t);
/* Images a second since the clock began, without the time of looks. */
double trainer_images_per_second(const trainer *t);

#endif
