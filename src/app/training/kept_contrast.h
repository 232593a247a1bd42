/* The contrast by auxiliary labels that fine-tuning keeps as a second loss
 * (finetune.contrast_weight): the loss of pretraining (src/contrast/loss.h) over chosen pixels of
 * the whole batch, whether their images have labels or not. One view an image: positives are pixels
 * of one auxiliary label. The network's output 1 are the embeddings. Results are the same bits for
 * any number of ranks, threads and waves. */
#ifndef AUXSEG_APP_TRAINING_KEPT_CONTRAST_H
#define AUXSEG_APP_TRAINING_KEPT_CONTRAST_H

#include "src/app/training/auxiliary.h"
#include "src/app/training/pixel_rows.h"

typedef struct kept_contrast {
    double weight;        /* finetune.contrast_weight; 0: none is kept, and all else is empty */
    labels *aux;          /* owned, like the next three */
    int32_t *group;       /* of each label, or NULL */
    pixel_rows rows;      /* what is compared */
    contrast_stats stats; /* of the step's loss, without the weight */
} kept_contrast;

/* Into what the stage's key rests on: the clustering, whose hash is *recorded, and those settings
 * of [pretrain] that the contrast takes. STATUS_USAGE: there is no clustering yet; STATUS_OUTPUT:
 * it is damaged. Collective. */
status kept_contrast_key(stage *t, uint64_t *input, uint64_t *recorded);

/* The labels, of the clustering of that hash; nothing where finetune.contrast_weight is 0.
 * Collective. */
status kept_contrast_open(kept_contrast *k, const stage *t, uint64_t recorded);
/* Memory for the rows of x, borrowed like images. Collective. */
status kept_contrast_begin(kept_contrast *k, trainer *x, samples *images);
/* Collective. */
void kept_contrast_destroy(kept_contrast *k);

/* The auxiliary labels of local place i, a view v of m, as its embeddings see them, and which of
 * its pixels are compared. Not collective; thread-safe. */
status kept_contrast_view(const kept_contrast *k, batch *b, int i, const sample *m, const view *v);
/* All waves forward, the loss and its gradient to the embeddings. Collective. */
status kept_contrast_compare(kept_contrast *k);

#endif
