/* k-means++ that can be stopped. Every rank does the same on the same rows, so that no centroid is
 * sent; between some of the draws each asks whether any of them is to stop. That never changes what
 * is drawn. */
#include "mpi/kmeans_start.h"
#include "mpi/stop_watch.h"

/* Multiplications of a rank's threads, each, between two questions whether to stop: about a second.
 */
static const double WORK = 0x1p30;

status kmeans_start_draw(stop_watch *w, random_stream *r, const kmeans_start_rows *rows, int k,
    int threads, float *centroids) {
    kmeans_plusplus *p = NULL;
    bool more = true;
    status st = kmeans_plusplus_create(&p, r, rows, k, threads, centroids);
    while (st == STATUS_OK && more) {
        more = kmeans_plusplus_go_on(p, WORK * threads);
        st = stop_watch_ask(w, st);
    }
    kmeans_plusplus_destroy(p);
    return st;
}

status kmeans_start_choose(const comm *c, const kmeans_options *o, random_stream *r,
    const kmeans_start_rows *rows, float *centroids) {
    stop_watch watch = stop_watch_begin_whole(c);
    status st = kmeans_start_draw(&watch, r, rows, o->k, o->threads, centroids);
    return stop_watch_end(&watch, st);
}
