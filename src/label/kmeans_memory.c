/* The most memory that a k-means run can take on a rank, from its options alone: it is stated
 * before the run begins, so it counts what the run will allocate and allocates nothing. Whoever
 * adds an array to the run adds it here. */
#include "src/label/kmeans_options.h"

/* While k-means|| runs: distances, owners, labels and choices of rows, a screen of its own, and all
 * candidates, twice while their list grows, with what a rank adds to it. */
static size_t parallel_bytes(const kmeans_options *o, size_t n, size_t d) {
    enum { ROW = 26, CANDIDATES = 12 };
    const kmeans_assigner_options dense = {
        o->k, o->threads, KMEANS_SCREEN_DENSE, o->arithmetic, NULL};
    size_t candidates = CANDIDATES * (size_t)o->k;
    return n * ROW + kmeans_assigner_bytes(&dense, n, (int)d) + 2 * candidates * d * sizeof(float);
}

/* The sample, and what k-means++ knows of each of its rows. */
static size_t sample_bytes(const kmeans_options *o, size_t d) {
    size_t sample = (size_t)(o->sample > o->k ? o->sample : o->k);
    return sample * d * sizeof(float) + sample * (sizeof(double) + 3 * sizeof(int64_t));
}

/* Of the hierarchical start: a branch's rows again, which may be all of the sample's, and what
 * k-means within takes of each row; centroids twice. */
static size_t branch_bytes(const kmeans_options *o, size_t d) {
    enum { ROW = 2 * sizeof(int64_t) + 16 };
    size_t sample = (size_t)(o->sample > o->k ? o->sample : o->k);
    const kmeans_assigner_options within = {o->k, o->threads, o->screen, o->arithmetic, NULL};
    return sample * (d * sizeof(float) + ROW) + kmeans_assigner_bytes(&within, sample, (int)d) +
           2 * (size_t)o->k * d * sizeof(float);
}

/* Of iterations on the sample: what k-means takes of each of its rows, and of centroids. */
static size_t iterate_bytes(const kmeans_options *o, size_t d) {
    enum { ROW = 2 * sizeof(uint16_t), CENTROID = sizeof(int64_t) + 2 * sizeof(float) };
    size_t sample = (size_t)(o->sample > o->k ? o->sample : o->k);
    const kmeans_assigner_options all = {o->k, o->threads, o->screen, o->arithmetic, NULL};
    return sample * ROW + kmeans_assigner_bytes(&all, sample, (int)d) +
           (size_t)o->k * (d + 1) * CENTROID;
}

static size_t start_bytes(const kmeans_options *o, size_t n, size_t d) {
    if (o->init == KMEANS_PARALLEL) return parallel_bytes(o, n, d);
    return sample_bytes(o, d) + (o->init == KMEANS_HIERARCHICAL ? branch_bytes(o, d) : 0) +
           (o->sample_iterations > 0 ? iterate_bytes(o, d) : 0);
}

/* Beside each term stands what it counts. A mini-batch holds its rows twice: as floats, and
 * rounded for its assignment. */
kmeans_memory kmeans_needs(const kmeans_options *o, size_t n, int d) {
    /* And squares of rows, while all else is allocated. */
    enum { LABELS = 2 * sizeof(uint16_t) + sizeof(float) };
    /* Centroids, the best, the next, what they are made into for other ranks, the screen's packed
     * ones, twice while they get another order, and its last; sums of a rank, of all, and parts of
     * sums that come from other ranks. */
    enum { CENTROID = 7 * sizeof(float) + 3 * sizeof(int64_t) };
    /* Such parts are of whole clusters, of each of up to 60 ranks, in up to 8 pieces of the sums.
     */
    enum { OTHERS = 60, PIECES = 8, PIECE = 1 << 17 };
    const kmeans_assigner_options screen = {o->k, o->threads, o->screen, o->arithmetic, NULL};
    enum { WORKER = 256 }; /* scores and lists of a thread, a centroid */
    size_t words = (size_t)o->k * (size_t)d, batch = (size_t)o->batch;
    size_t pieces = words / PIECE + 1 < PIECES ? words / PIECE + 1 : PIECES;
    kmeans_memory m = {.rows = n * (LABELS + sizeof(double)) + kmeans_assigner_bytes(&screen, n, d),
        .centroids = words * CENTROID + pieces * OTHERS * ((size_t)d + 1) * sizeof(int64_t) +
                     (size_t)o->threads * (size_t)o->k * WORKER,
        .start = start_bytes(o, n, (size_t)d)};
    if (batch > 0) {
        m.rows += batch * ((size_t)d * 2 * sizeof(float) + 2 * LABELS);
        m.centroids += words * sizeof(int64_t);
    }
    return m;
}
