/* Which image stands where in the global batches of a stage: a pure function of the seed, never of
 * the ranks. Epoch after epoch, each a permutation of its own. Not collective. */
#ifndef AUXSEG_APP_STAGE_ORDER_H
#define AUXSEG_APP_STAGE_ORDER_H

#include "src/base/status.h"

#include <stdint.h>

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

#endif
