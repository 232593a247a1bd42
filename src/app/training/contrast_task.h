/* What contrastive trainings share, of pixels and of whole images. */
#ifndef AUXSEG_APP_TRAINING_CONTRAST_TASK_H
#define AUXSEG_APP_TRAINING_CONTRAST_TASK_H

#include "src/app/stage/image_list.h"
#include "src/app/stage/stage.h"
#include "src/app/training/trainer.h"

/* What a contrastive training takes and gives. Texts are borrowed. */
typedef struct contrast_task {
    const char *weights, *output; /* initial ones, "": random; a file of the run's folder */
    image_list list;              /* the images, borrowed */
    bool truth; /* pixels are compared by the classes of the images' own label maps; else by their
                   auxiliary labels, which must be those of the hash `labels` */
    uint64_t labels;
} contrast_task;

/* By [pretrain], of two views an image, to the projection of a map: a method changes what it does
 * otherwise. weights: initial ones, borrowed. Not collective. */
trainer_options pretrain_options(const stage *t, const char *weights);
/* Writes the weights to a file of the run's folder, and the record. Collective. */
status pretrain_finish(stage *t, trainer *x, const char *output);

#endif
