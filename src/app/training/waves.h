/* How a rank's images pass through the network in a training step: all at once, or in waves, one
 * after another, where the activations of all would not fit in memory. The result is the same bits,
 * so that each rank may choose for itself. Not collective. */
#ifndef AUXSEG_APP_TRAINING_WAVES_H
#define AUXSEG_APP_TRAINING_WAVES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct waves {
    int images; /* of a wave; the last may have fewer */
    int count;  /* at least 1 */
} waves;

typedef struct waves_options {
    const char *stage; /* name in messages, borrowed */
    int images;        /* of this rank, may be 0 */
    int unit;          /* images that are never parted: a norm group */
    int asked;         /* most images of a wave; 0: as many as fit */
    bool whole;        /* norms need statistics of the whole batch: one wave, whether it fits or not
                        */
    size_t each, budget; /* bytes that an image takes; that all may take */
} waves_options;

/* The fewest waves, of whole units and alike in size; says which and why. A single unit passes even
 * where it does not fit. */
waves waves_choose(const waves_options *o);

#endif
