/* The contrastive stage: two views of each image, the global pool, the network up to its
 * classifier. */
#ifndef AUXSEG_APP_TRAINING_PRETRAIN_H
#define AUXSEG_APP_TRAINING_PRETRAIN_H

#include "src/app/stage/image_list.h"
#include "src/app/stage/stage.h"

/* From model.weights to pretrained.safetensors. Collective. Skipped if done. */
status pretrain_model(const comm *c, const settings *s, int round);

/* What a contrastive training takes and gives. Texts are borrowed. */
typedef struct contrast_task {
    const char *weights, *output; /* initial ones, "": random; a file of the run's folder */
    image_list list;              /* the images, borrowed */
    bool truth; /* pixels are compared by the classes of the images' own label maps; else by their
                   auxiliary labels, which must be those of the hash `labels` */
    uint64_t labels;
} contrast_task;

/* The training of a stage that has begun and is not done, to its record. Collective. */
status pretrain_task(stage *t, const contrast_task *task);

/* The command: round 1. Collective. */
status command_pretrain(const comm *c, const settings *s);

#endif
