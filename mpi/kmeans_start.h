/* Where k-means starts. For kmeans_run alone. */
#ifndef AUXSEG_MPI_KMEANS_START_H
#define AUXSEG_MPI_KMEANS_START_H

#include "mpi/kmeans.h"
#include "mpi/stop_watch.h"
#include "src/label/kmeans_start.h"

/* centroids [K, D]: by o->init, on a sample of o->sample rows that every rank gets, keyed by (seed,
 * restart, image), with o->sample_iterations of k-means on it, or on all rows. The same on every
 * rank and for any number of ranks and threads. Collective. */
status kmeans_start(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids);
/* k-means++ on rows that every rank has, by each alike: the same centroids everywhere. Ranks meet
 * at the end alone; STATUS_STOPPED on all soon after one is asked to stop. For the two above.
 * Collective. */
status kmeans_start_choose(const comm *c, const kmeans_options *o, random_stream *r,
    const kmeans_start_rows *rows, float *centroids);
/* The same between stop_watch_begin and its end, where each rank may have rows of its own: it asks
 * w every second or so. Not collective. */
status kmeans_start_draw(stop_watch *w, random_stream *r, const kmeans_start_rows *rows, int k,
    int threads, float *centroids);
/* k-means|| (Bahmani, Moseley, Vattani, Kumar, Vassilvitskii 2012): five times each row becomes a
 * candidate with probability 2 K d / sum of d, d being its squared distance from the nearest
 * candidate before; of the candidates, weighted by the rows that are nearest to them, k-means++
 * takes K. Rows are drawn by (seed, restart, time, image, pixel), sums are exact. Every rank holds
 * all candidates, about 10 K rows. For kmeans_start. */
status kmeans_start_parallel(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids);
/* From rows that every rank has: k-means with about sqrt(K) centroids, then within each of its
 * clusters (clusters of clusters: Nister, Stewenius 2006). The same centroids everywhere and for
 * any number of ranks and threads; STATUS_STOPPED as above. For kmeans_start. Collective. */
status kmeans_start_hierarchical(const comm *c, const kmeans_options *o, int restart,
    const kmeans_start_rows *rows, float *centroids);

#endif
