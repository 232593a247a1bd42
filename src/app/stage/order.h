/* Which image stands where in the global batches of a stage: a pure function of the seed, never of
 * the ranks. Epoch after epoch, each a permutation of its own. Not collective. */
#ifndef AUXSEG_APP_STAGE_ORDER_H
#define AUXSEG_APP_STAGE_ORDER_H

#include "io/dataset/dataset.h"
#include "src/base/settings.h"

typedef struct order {
    const int *member; /* [count], indices into the data set, borrowed */
    int count;
    uint64_t seed;
    int64_t epoch;         /* of `permutation`, -1: none yet */
    uint32_t *permutation; /* [count], owned */
} order;

status order_create(order *o, const int *member, int count, uint64_t seed);
void order_destroy(order *o);
/* The image at a position of the endless sequence of epochs. */
int order_at(order *o, int64_t position);

/* A list of images, owned by the caller (memory_free). */
typedef struct image_list {
    int *member, count;
} image_list;

/* Every image of a split; labelled: only those with a label map. */
status images_of_split(image_list *out, const dataset *d, split which, bool labelled);
/* The labelled share of the training images: finetune.list (one name a line) or finetune.fraction
 * drawn by run.seed, at least one, sorted by index. STATUS_DATA names an unknown name. */
status images_labelled(image_list *out, const dataset *d, const settings *s);

#endif
