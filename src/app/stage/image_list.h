/* Lists of a data set's images, in the order of their indices. Every rank makes the same list. Not
 * collective, unless said. */
#ifndef AUXSEG_APP_STAGE_IMAGE_LIST_H
#define AUXSEG_APP_STAGE_IMAGE_LIST_H

#include "io/dataset/dataset.h"
#include "mpi/comm.h"
#include "src/base/settings.h"

/* A list of images, owned by the caller (memory_free). */
typedef struct image_list {
    int *member, count;
} image_list;

/* Every image of a split; labelled: only those with a label map. */
status images_of_split(image_list *out, const dataset *d, split which, bool labelled);
/* The labelled share of the training images: finetune.list (one name a line) or finetune.fraction
 * drawn by run.seed, at least one, sorted by index. STATUS_DATA names an unknown name. */
status images_labelled(image_list *out, const dataset *d, const settings *s);
/* After a list that follows from finetune.list, which each rank has read for itself: mine, this
 * rank's status; STATUS_USAGE where a rank's list is another one than rank 0's, which is named.
 * Collective. */
status images_agree(const comm *c, const image_list *l, const settings *s, status mine);

#endif
