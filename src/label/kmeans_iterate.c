/* The loop of mpi/kmeans.c without what only a whole run needs: no exchange, no objective, no
 * repair of empty clusters, no state to continue from. */
#include "src/label/kmeans_iterate.h"

#include "src/base/memory.h"

#include <string.h>

static status iterate(const features *x, const kmeans_iterate_options *o, kmeans_assigner *a,
    const kmeans_sum_total *s, uint16_t *summed, float *c, uint16_t *label) {
    int k = o->assigner.k;
    kmeans_counts counts = {0};
    status st = kmeans_assigner_assign(a, c, label, &counts);
    for (int i = 0; i < o->iterations && st == STATUS_OK && counts.changed > 0; i++) {
        kmeans_sums_follow(x, label, summed, o->assigner.threads, s);
        kmeans_centroids(s, k, x->d, o->cosine, o->assigner.threads, c);
        st = kmeans_assigner_assign(a, c, label, &counts);
        if (o->ask) st = o->ask(o->context, st);
    }
    return st;
}

status kmeans_iterate(
    const features *x, const kmeans_iterate_options *o, float *c, uint16_t *label) {
    size_t k = (size_t)o->assigner.k;
    int64_t bad;
    kmeans_assigner *a = NULL;
    kmeans_sum_total s = {
        .scale = kmeans_scale((int64_t)x->n, features_largest(x, o->assigner.threads, &bad))};
    uint16_t *summed = memory_alloc(x->n, sizeof *summed, "labels");
    s.sum = memory_alloc(k * (size_t)x->d, sizeof *s.sum, "sums of centroids");
    s.count = memory_alloc(k, sizeof *s.count, "sums of centroids");
    status st = summed && s.sum && s.count ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) st = kmeans_assigner_create(&a, x, &o->assigner);
    if (st == STATUS_OK) {
        memset(label, 0xFF, x->n * sizeof *label); /* LABEL_NONE */
        memset(summed, 0xFF, x->n * sizeof *summed);
        st = iterate(x, o, a, &s, summed, c, label);
    }
    kmeans_assigner_destroy(a);
    memory_free(summed);
    memory_free(s.sum);
    memory_free(s.count);
    return st;
}
