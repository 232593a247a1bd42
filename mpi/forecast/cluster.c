/* Iterations of k-means between ranks: kmeans_run itself, on one row a rank that stands for all of
 * its. The start is given. */
#include "mpi/forecast/simulated.h"
#include "mpi/forecast/stages.h"
#include "mpi/kmeans.h"
#include "mpi/shard.h"
#include "src/base/memory.h"

/* From the end of the first assignment on, which has nothing to update, to the last iteration's:
 * what else k-means sends before and after is no iteration's. */
typedef struct watch {
    const comm *c;
    int last; /* iteration */
    double began, ended, exchange, sent;
} watch;

/* Ranks are waited for at both ends, where no time is measured. */
static status look(void *context, const kmeans_iteration *it) {
    watch *w = context;
    w->ended = MPI_Wtime();
    w->exchange += it->iteration > 0 ? it->exchange_seconds : 0;
    if (it->iteration == w->last) w->sent = simulated_sent(w->c) - w->sent;
    if (it->iteration > 0) return STATUS_OK;
    w->sent = simulated_sent(w->c);
    w->began = MPI_Wtime();
    return STATUS_OK;
}

status simulated_cluster(const comm *c, const simulated_work *w, simulated_times *out) {
    int d = (int)simulation.p.d, k = (int)simulation.p.k, side = 1;
    float *row = memory_alloc((size_t)d, sizeof *row, "row");
    float *start = memory_alloc((size_t)d * (size_t)k, sizeof *start, "centroids");
    watch times = {.c = c, .last = w->steps};
    kmeans_result r = {0};
    const features x = {.n = 1,
        .d = d,
        .type = DTYPE_F32,
        .data = row,
        .first = c->rank,
        .images = 1,
        .height = &side,
        .width = &side,
        .before = c->rank,
        .total = w->rows};
    const kmeans_options o = {
        .k = k, .iterations = w->steps, .restarts = 1, .threads = 1, .tolerance = -1};
    simulation.rows = (double)(shard_begin(w->rows, 1, c->size) - shard_begin(w->rows, 0, c->size));
    status st = comm_agree(c, row && start ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = kmeans_run(c, &o, &x, start, look, &times, &r);
    *out = (simulated_times){times.ended - times.began, times.exchange, times.sent};
    memory_free(r.centroids);
    memory_free(r.label);
    memory_free(r.distance);
    memory_free(row);
    memory_free(start);
    return st;
}
