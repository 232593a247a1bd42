/* Batches made ahead of time, by threads of their own while the step before is computed.
 *
 * A batch has `parts` that do not depend on each other: images, say. The loader's threads make them
 * in the order of steps, `depth` batches ahead of the one in use; what is not begun when its batch
 * is due is made by the caller's own threads: all of it, where the loader has none.
 * Nothing is collective: the threads never call MPI. Batches must be pure functions of their step:
 * then neither threads, depth nor timing can change them. */
#ifndef AUXSEG_APP_TRAINING_LOADER_H
#define AUXSEG_APP_TRAINING_LOADER_H

#include "src/base/status.h"

#include <stdint.h>

typedef struct loader_source {
    void *context;
    int parts; /* of a batch, may be 0 */
    /* Step by step, one call at a time, from any thread: what the parts of a step have in common.
     * The batch is a buffer that an earlier step no longer needs. */
    void (*begin)(void *context, void *batch, int64_t step);
    /* From any thread, several parts at a time. The first function that knows names the image. */
    status (*make)(void *context, void *batch, int part);
} loader_source;

typedef struct loader_options {
    int64_t first, end; /* steps first .. end - 1 */
    int depth;          /* batches ahead, at least 1 where there are threads */
    int threads;        /* of the loader; 0: none */
    int team;           /* threads of the caller that help */
} loader_options;

typedef struct loader loader;

/* batch [depth + 1]: buffers, borrowed and filled in turn. The threads begin at once. On failure no
 * thread is left. */
status loader_create(
    loader **out, const loader_source *source, const loader_options *o, void *const *batch);
/* Waits for parts in work, not for batches. NULL-safe. */
void loader_destroy(loader *l);

/* The next step's batch: *batch stays as it is until the next call. The worst status of its parts;
 * no batch comes after a failed one. One thread calls. */
status loader_next(loader *l, void **batch);
/* Seconds that threads of any kind have spent on parts so far. */
double loader_seconds(loader *l);

#endif
