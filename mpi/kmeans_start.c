/* Where a restart begins. Every rank draws the same from the same sample, so that no centroid is
 * sent; what takes its draws from all rows, k-means||, is in kmeans_start_parallel.c. */
#include "mpi/kmeans_start.h"

#include "mpi/row_sample.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"

/* The initial centroids of a restart from the sample x [n, D]. Collective. */
static status choose(const comm *c, const kmeans_options *o, int restart,
    const kmeans_start_rows *rows, float *centroids) {
    /* An item that no image has. */
    random_stream r = random_begin(o->seed, RANDOM_CLUSTER, (uint64_t)restart, UINT64_MAX);
    status st;
    switch (o->init) {
    case KMEANS_RANDOM:
        st = comm_agree(c, kmeans_start_random(&r, rows->x, rows->n, rows->d, o->k, centroids));
        break;
    case KMEANS_HIERARCHICAL:
        st = kmeans_start_hierarchical(c, o, restart, rows, centroids);
        break;
    default:
        st = kmeans_start_choose(c, o, &r, rows, centroids);
    }
    if (st == STATUS_OK && o->cosine) unit_length_rows(centroids, (size_t)o->k, rows->d);
    return st;
}

/* A sample is at least K rows and at most all. */
status kmeans_start(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids) {
    if (o->init == KMEANS_PARALLEL) return kmeans_start_parallel(c, o, x, restart, centroids);
    int64_t sample = o->sample > o->k ? o->sample : o->k;
    if (sample > x->total) sample = x->total;
    float *all = NULL;
    status st = row_sample_gather(c, x, o->seed, restart, sample, &all);
    const kmeans_start_rows rows = {all, NULL, (size_t)sample, x->d};
    if (st == STATUS_OK) st = choose(c, o, restart, &rows, centroids);
    memory_free(all);
    return st;
}
