/* Two random views of each image of a batch, the pixels of them that are compared, and the rows of
 * the pool that these become. A rank holds both views of an image: images 2 b and 2 b + 1 of the
 * network's batch. */
#ifndef AUXSEG_APP_TRAINING_VIEWS_H
#define AUXSEG_APP_TRAINING_VIEWS_H

#include "io/hdf5/labels.h"
#include "mpi/pool.h"
#include "src/app/training/batches.h"
#include "src/contrast/loss.h"
#include "src/image/augment.h"

typedef struct views {
    trainer *t; /* borrowed, like the next two */
    samples *images;
    const labels *aux; /* NULL: pixels have the classes of the images' own label maps */
    batches *source;   /* owned */
    const batch *now;  /* this step's: its label maps are those labels [local, h, w] */
    contrast_positives positives;
    const int32_t *group;             /* borrowed: of each label, or NULL */
    int h, w, d;                      /* of the embeddings: grid and dimensions */
    int wanted;                       /* pixels a view */
    size_t n;                         /* rows of this rank */
    float *z, *gradient;              /* [n, D]: rows of length 1; of the loss */
    double *scale;                    /* [n]: unit_rows' */
    int32_t *label, *image, *partner; /* [n] */
    pool_exchange *exchange;          /* owned: the loss's */
    float *key;                       /* [n], the draw of a bounded pool, or NULL */
} views;

/* Whether pretrain.pool may leave rows out, at these settings. */
bool views_bounded(const settings *s);

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
/* Leaves out chosen pixels of the batch, so that at most pretrain.pool are left of all ranks, where
 * views_bounded. The same pixels for any number of ranks. Collective. */
status views_draw(views *v, batch *b);
/* After trainer_forward of wave k: its chosen pixels' embeddings as unit rows. Not collective. */
void views_embed(views *v, int k);
/* Once all waves are embedded: name of the first image whose embeddings are not finite, or NULL.
 * Not collective. */
const char *views_fault(const views *v);
/* v->gradient of wave k through the normalisation into the plan's output gradients. Not collective.
 */
void views_scatter(views *v, int k);

#endif
