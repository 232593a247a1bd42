/* A clustering's state outlives the process between two iterations alone, as labels and sums follow
 * from the centroids then. When a checkpoint is written is decided by rank 0's clock: that changes
 * no result, and all ranks must do the same. */
#include "src/app/clusters/cluster_keep.h"

#include "io/weights/checkpoint.h"
#include "io/weights/cluster_checkpoint.h"
#include "src/base/log.h"
#include "src/base/stop.h"

/* Another key is passed over without a word, as a changed setting is no mistake. */
status cluster_keep_find(cluster_keep *p, int k, int d) {
    status st =
        cluster_checkpoint_load(p->c, p->folder, p->name, p->key, k, d, &p->state, &p->resumed);
    if (st == STATUS_OK && p->resumed)
        log_info("%s: continues after restart %d, iteration %d", p->name, p->state.restart,
            p->state.iteration);
    return st;
}

/* Asked of every rank, decided by rank 0's clock. Collective. */
static bool due(const cluster_keep *p, const kmeans_iteration *it) {
    enum { SHARE = 20 }; /* writing takes at most one part of so many of the time */
    if (p->every == 0 || it->iteration % p->every != 0) return false;
    bool yes = timer_now() - p->saved >= SHARE * p->save_seconds;
    comm_broadcast(p->c, &yes, sizeof yes);
    return yes;
}

/* When one is due, or the clustering is about to stop. Collective. */
static status save(cluster_keep *p, const kmeans_iteration *it, bool stopping) {
    if (!stopping && !due(p, it)) return STATUS_OK;
    double now = timer_now();
    status st = comm_agree(p->c, metrics_sync(p->rows));
    if (st == STATUS_OK) st = cluster_checkpoint_save(p->c, p->folder, p->name, p->key, it->state);
    p->saved = timer_now();
    p->save_seconds = p->saved - now;
    if (p->time) p->time->seconds[PHASE_CHECKPOINT] += p->save_seconds;
    return st;
}

/* One rank that was signalled is enough: the code travels with the agreement. */
status cluster_keep_iteration(cluster_keep *p, const kmeans_iteration *it, status mine) {
    if (mine == STATUS_OK && stop_requested()) mine = STATUS_STOPPED;
    status st = comm_agree(p->c, mine);
    if (st != STATUS_OK && st != STATUS_STOPPED) return st;
    status saved = save(p, it, st == STATUS_STOPPED);
    if (saved != STATUS_OK) return saved;
    if (st == STATUS_STOPPED)
        log_info("%s: stopped after restart %d, iteration %d", p->name, it->restart, it->iteration);
    return st;
}

void cluster_keep_forget(cluster_keep *p) {
    checkpoint_clear(p->c, p->folder, p->name, p->key);
}

void cluster_keep_end(cluster_keep *p) {
    if (p->resumed) kmeans_state_destroy(&p->state);
    *p = (cluster_keep){0};
}
