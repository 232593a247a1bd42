/* Two random views of each image of a batch, and the pixels of them that are compared. A rank holds
 * both views of an image: images 2 b and 2 b + 1 of the network's batch. */
#ifndef AUXSEG_APP_TRAINING_VIEWS_H
#define AUXSEG_APP_TRAINING_VIEWS_H

#include "io/hdf5/labels.h"
#include "src/app/training/pixel_rows.h"

typedef struct views {
    trainer *t; /* borrowed, like the next two */
    samples *images;
    const labels *aux; /* NULL: pixels have the classes of the images' own label maps */
    batches *source;   /* owned; label maps at the size of the embeddings */
    pixel_rows rows;   /* owned */
} views;

/* What a step's views are made of, borrowed. */
typedef struct views_source {
    samples *images;
    const labels *aux; /* NULL: the images' own label maps */
    order *sequence;
    pool_queue *queue;    /* pixels of earlier steps, or NULL */
    const int32_t *group; /* of each label, or NULL */
} views_source;

/* t is borrowed. Batches begin to be made. Collective. */
status views_create(views *v, trainer *t, const views_source *from);
/* Collective. */
void views_destroy(views *v);
/* The step's views into the plan's inputs, and which pixels take part. Collective. */
status views_load(views *v);

#endif
