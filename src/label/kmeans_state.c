#include "src/label/kmeans_state.h"

#include "src/base/memory.h"

status kmeans_state_create(kmeans_state *s) {
    size_t words = (size_t)s->k * (size_t)s->d;
    s->centroids = memory_alloc(words, sizeof *s->centroids, "centroids");
    s->best = memory_alloc(words, sizeof *s->best, "centroids");
    if (s->centroids && s->best) return STATUS_OK;
    kmeans_state_destroy(s);
    return STATUS_FAILED;
}

void kmeans_state_destroy(kmeans_state *s) {
    memory_free(s->centroids);
    memory_free(s->best);
    s->centroids = s->best = NULL;
}
