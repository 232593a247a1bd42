/* Keys of earlier steps, the negatives of instance contrast (He, Fan, Wu, Xie, Girshick 2020,
 * arXiv:1911.05722). A ring whose beginning follows from how many keys have been put in, so that
 * the rows and a number of steps are its whole state. Not collective: every rank puts the same keys
 * in, in the same order, and has the same queue. */
#ifndef AUXSEG_CONTRAST_KEY_QUEUE_H
#define AUXSEG_CONTRAST_KEY_QUEUE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct key_queue {
    size_t n; /* rows, all of which count at any time */
    int d;
    float *key;     /* [n, D], of length 1 */
    int32_t *image; /* [n], that each is of; -1: of none */
} key_queue;

/* Rows of random directions, as in the authors' code, drawn by the seed and the number of the queue
 * among those of a training. n > 0. */
status key_queue_create(key_queue *out, size_t n, int d, uint64_t seed, uint64_t number);
/* NULL-safe members. */
void key_queue_destroy(key_queue *q);
/* Keys [count, D] of images [count] in place of the oldest. before: how many were put in since the
 * queue was created, over all calls; count at most n. */
void key_queue_put(
    key_queue *q, uint64_t before, const float *key, const int32_t *image, size_t count);

#endif
