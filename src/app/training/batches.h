/* The batches of a training stage: which images stand in them, and their views, made ahead of time
 * by a loader (src/app/training/loader.h). A batch is a pure function of the seed and the step. */
#ifndef AUXSEG_APP_TRAINING_BATCHES_H
#define AUXSEG_APP_TRAINING_BATCHES_H

#include "src/app/stage/order.h"
#include "src/app/training/samples.h"
#include "src/app/training/trainer.h"
#include "src/image/cutmix.h"

/* This rank's part of a step. A view is an image as the network sees it; the trainer's `together`
 * views of an image stand side by side. */
typedef struct batch {
    const struct batches *of;
    int64_t step;
    int *source;  /* [local / together], images of the data set */
    int *other;   /* [unlabelled], of each place without labels the image that is mixed in; empty,
                     like box and plain, where these are not taught */
    mix_box *box; /* [unlabelled], where it is */
    float *plain; /* [unlabelled, 2, crop, crop, 3], views of source and other: as what labels
                     them sees them */
    float *input; /* [local, crop, crop, 3]; the trainer's once it is due */
    uint16_t *label; /* [local, label_height, label_width] */
    uint16_t *grid;  /* [local, grid_height, grid_width], of other labels of the same views */
    int *chosen;     /* [local, wanted], pixels of the maps that are compared */
    int *count;      /* [local], how many are */
    int *labelled;   /* [local], pixels of `label` with a class, for whoever counts them */
} batch;

typedef struct batches_options {
    order *sequence; /* borrowed */
    /* NULL, or of images without labels, borrowed: every second place of the global batch, from
     * place 1 on, shows one of these, or a mixture of two. Under `together` 1 alone. */
    order *unlabelled;
    bool taught; /* places without labels have plain views, and a second image to be mixed in */
    augment_options views;
    int label_height, label_width, grid_height, grid_width, wanted;
    /* Makes the views of source[part], by batch_view, and all that belongs to them. From any
     * thread. */
    status (*make)(void *context, batch *b, int part);
    void *context;
} batches_options;

typedef struct batches batches;

/* Which of this rank's places without labels local place i is, counted from 0; -1: it has labels.
 * Not collective. */
int batches_unlabelled(const trainer *t, int i);

/* From the trainer's step to its last. t is borrowed. Collective. */
status batches_create(batches **out, trainer *t, const batches_options *o);
/* NULL-safe. Not collective. */
void batches_destroy(batches *b);
/* A random view of an image and of a label map of it, at any resolution: local view i of the batch.
 * labels NULL: LABEL_IGNORE everywhere. *v is the view (may be NULL). Not collective;
 * thread-safe. */
status batch_view(batch *b, int i, const sample *m, const labelmap *labels, view *v);
/* The stream of numbers that view `number`, 0 or 1, of local place i is drawn from. Not collective;
 * thread-safe. */
random_stream batch_stream(const batch *b, int i, int number);
/* The batch of the trainer's step, its input the trainer's; *out is borrowed until the next call.
 * The wait for it is the phase "input". Not collective. */
status batches_next(batches *b, batch **out);
/* A line of the log: the share of a step that was waited for input (run.json has the phase), and
 * what making rank 0's batch takes. Not collective. */
void batches_report(batches *b);

#endif
