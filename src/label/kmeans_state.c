/* Memory of a k-means run's state, for those who keep it: checkpoints, and tests that stop a run.
 */
#include "src/label/kmeans_state.h"

#include "src/base/memory.h"

/* All arrays, also those that a run may leave out: a checkpoint is read into it before it is
 * known. */
status kmeans_state_create(kmeans_state *s) {
    size_t words = (size_t)s->k * (size_t)s->d;
    s->centroids = memory_alloc(words, sizeof *s->centroids, "centroids");
    s->best = memory_alloc(words, sizeof *s->best, "centroids");
    s->count = memory_alloc((size_t)s->k, sizeof *s->count, "rows of centroids");
    if (s->centroids && s->best && s->count) return STATUS_OK;
    kmeans_state_destroy(s);
    return STATUS_FAILED;
}

void kmeans_state_destroy(kmeans_state *s) {
    memory_free(s->centroids);
    memory_free(s->best);
    memory_free(s->count);
    s->centroids = s->best = NULL;
    s->count = NULL;
}
