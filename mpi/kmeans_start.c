/* Where a restart begins. Every rank draws the same from the same sample, so that no centroid is
 * sent; what takes its draws from all rows, k-means||, is in kmeans_start_parallel.c. */
#include "mpi/kmeans_start.h"

#include "mpi/row_sample.h"
#include "mpi/stop_watch.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"
#include "src/label/kmeans_iterate.h"

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

static status ask(void *context, status st) {
    return stop_watch_ask(context, st);
}

/* Iterations on the sample: a row less costs as much less, and most of what the first iterations
 * gain does not need all rows. Every rank does the same. Collective. */
static status iterate(
    const comm *c, const kmeans_options *o, const float *x, size_t n, int d, float *centroids) {
    stop_watch watch = stop_watch_begin_whole(c);
    const features rows = {.n = n,
        .d = d,
        .type = DTYPE_F32,
        .data = (void *)(uintptr_t)x}; /* borrowed: nothing writes to rows */
    int passes = o->sample_iterations + 1;
    const kmeans_iterate_options options = {
        .assigner = {o->k, o->threads, o->screen,
            kmeans_arithmetic_for(o->arithmetic, &rows, o->k, passes)},
        .cosine = o->cosine,
        .iterations = o->sample_iterations,
        .ask = ask,
        .context = &watch};
    uint16_t *label = memory_alloc(n, sizeof *label, "labels of the sample");
    status st = label ? kmeans_iterate(&rows, &options, centroids, label) : STATUS_FAILED;
    memory_free(label);
    return stop_watch_end(&watch, st);
}

/* A sample of all rows of a single rank is these rows, which need no copy where they are floats in
 * memory. */
static bool is_all_rows(const comm *c, const features *x, int64_t sample) {
    return comm_size(c) == 1 && sample == x->total && x->type == DTYPE_F32 && !x->mapped;
}

status kmeans_start(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids) {
    if (o->init == KMEANS_PARALLEL) return kmeans_start_parallel(c, o, x, restart, centroids);
    int64_t sample = o->sample > o->k ? o->sample : o->k;
    if (sample > x->total) sample = x->total;
    float *copy = NULL;
    status st = STATUS_OK;
    if (!is_all_rows(c, x, sample)) st = row_sample_gather(c, x, o->seed, restart, sample, &copy);
    const kmeans_start_rows rows = {copy ? copy : x->data, NULL, (size_t)sample, x->d};
    if (st == STATUS_OK) st = choose(c, o, restart, &rows, centroids);
    if (st == STATUS_OK && o->sample_iterations > 0)
        st = iterate(c, o, rows.x, rows.n, rows.d, centroids);
    memory_free(copy);
    return st;
}
