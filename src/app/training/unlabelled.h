/* What a fine-tuning method shows of training images without labels: views for the model that
 * learns, strongly augmented and mixed, and plain views of the same places for what labels them. */
#ifndef AUXSEG_APP_TRAINING_UNLABELLED_H
#define AUXSEG_APP_TRAINING_UNLABELLED_H

#include "src/app/stage/image_list.h"
#include "src/app/training/batches.h"

/* How a method learns from images without labels: finetune.unlabelled_weight and so on, with the
 * values of the method's paper where these are left open. */
typedef struct unlabelled_options {
    double weight;     /* of their loss */
    double confidence; /* below which a pixel takes no part */
    double cutmix;     /* share of a view that shows a second image; 0: none */
    double strong;     /* largest changes of colours; 0: plain views */
} unlabelled_options;

/* Not collective. */
unlabelled_options unlabelled_read(const settings *s);
/* Decay of the averaged weights: finetune.average, and where that is 0 that of a method which
 * cannot do without. Not collective. */
double unlabelled_average(const settings *s);
/* What is done in another way than in the method's paper, for the log. Not collective. */
const char *unlabelled_adapted(finetune_method m);
/* The training images outside of the labelled share; all of them, where none is left. STATUS_FAILED
 * without memory. Owned by the caller (memory_free). Not collective. */
status unlabelled_list(image_list *out, const dataset *d, const image_list *labelled);
/* How views without labels are made; all but `views` and `how` is borrowed. */
typedef struct unlabelled {
    const trainer *t;
    samples *images;
    augment_options views; /* but for colours and blur */
    unlabelled_options how;
} unlabelled;

/* Makes local place i, one without labels: b->input, b->plain, b->box; its label map is all
 * LABEL_IGNORE. A function of seed, step and place. Not collective; thread-safe. */
status unlabelled_views(const unlabelled *u, batch *b, int i);

#endif
