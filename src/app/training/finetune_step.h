/* The step that all ways of fine-tuning share: a batch with labels in all places, or in every
 * second one, the cross-entropy of each image with the labels it has or was given, and its
 * gradient. A method's loop reads
 *
 *   while (st == STATUS_OK && trainer_next(x->t)) {
 *       st = finetune_load(x);
 *       ... labels for places without: x->teacher ...
 *       if (st == STATUS_OK) st = finetune_learn(x);
 *   }
 *
 * Every function returns the same status on every rank. Results are the same bits for any number of
 * ranks, threads and waves. */
#ifndef AUXSEG_APP_TRAINING_FINETUNE_STEP_H
#define AUXSEG_APP_TRAINING_FINETUNE_STEP_H

#include "src/app/stage/stage.h"
#include "src/app/training/kept_contrast.h"
#include "src/app/training/teacher.h"
#include "src/app/training/unlabelled.h"

typedef struct finetuning {
    trainer *t;
    samples *images;
    batches *source;
    const batch *now;
    int outputs;        /* networks that learn: 2 under cross-pseudo, else 1 */
    double *loss;       /* [outputs, batch], sums over pixels; this rank's at t->first */
    int64_t pixels;     /* of the global batch that have a label in the data set */
    bool halves;        /* every second place of a batch has no labels */
    kept_contrast kept; /* a second loss, or empty */
    double entropy;     /* of the last step, beside it: mean over labelled pixels */
    unlabelled more;    /* how views without labels are made */
    teacher teacher;    /* what labels them */
    int crossed;        /* network k learns labels of network (k + crossed) % 2 of the teacher's */
} finetuning;

/* The step's batch, its label maps being class ids at the views' size. Collective. */
status finetune_load(finetuning *x);
/* Labels of the places without, by x->teacher. Collective. */
status finetune_label(finetuning *x);
/* Gradient and step. The loss of the step is the mean over all labelled pixels of the global batch,
 * plus finetune.contrast_weight times the contrastive loss of its chosen pixels
 * (src/contrast/loss.h), and, where a teacher labels places without, weight times the sum over
 * those of their pixels that were given one, over all their pixels (Sohn et al. 2020,
 * arXiv:2001.07685, equations 3 and 4, a pixel for an image); of all networks together. Collective.
 */
status finetune_learn(finetuning *x);

/* The methods, each from the trainer's step to the last. weights: what the model began with, for
 * those whose teacher is another one. Collective. */
status finetune_supervised(finetuning *x);
status finetune_pseudo_labels(finetuning *x, const char *weights);
status finetune_mean_teacher(finetuning *x);
status finetune_cross_pseudo(finetuning *x);

/* What "pixel-contrast" does before it is supervised training: the contrast on the labelled share,
 * from `weights` to the run's file `output`, under a name of its own. Collective. Skipped if done.
 */
status finetune_contrast(const comm *c, const settings *s, const char *base, int round,
    const char *weights, const char *output);

#endif
