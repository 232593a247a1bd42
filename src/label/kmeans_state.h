/* Where a k-means run stands after an iteration: all that cannot be computed again. Labels and
 * distances can: they are functions of the centroids. Not collective. */
#ifndef AUXSEG_LABEL_KMEANS_STATE_H
#define AUXSEG_LABEL_KMEANS_STATE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct kmeans_state {
    int k, d;
    int restart, iteration, repaired;  /* which iteration; empty clusters that got a row in it */
    int64_t changed;                   /* labels that it changed */
    int64_t passes;                    /* iterations so far, of all restarts, this one included */
    double objective, before;          /* of this iteration, of the one before (infinity: none) */
    int best_restart, best_iterations; /* of the restarts that are finished; -1: none is */
    double best_objective;
    float *centroids, *best; /* [K, D]; best: NULL as long as no restart is finished */
    int64_t *count;          /* [K] rows that each centroid is the mean of (mini-batch), or NULL */
} kmeans_state;

/* Memory for the arrays of s->k centroids of s->d dimensions. */
status kmeans_state_create(kmeans_state *s);
/* Of a state that was created. */
void kmeans_state_destroy(kmeans_state *s);

#endif
