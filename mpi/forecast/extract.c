/* Extraction between ranks: images one after another, a question between them whether another rank
 * has left, and an agreement at the end. Files are not simulated: ranks write their rows each for
 * itself, and what a file system gives is the machine's. */
#include "mpi/forecast/simulated.h"
#include "mpi/forecast/stages.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"

status simulated_extract(const comm *c, const simulated_work *w, simulated_times *out) {
    int64_t images =
        shard_begin(w->images, c->rank + 1, c->size) - shard_begin(w->images, c->rank, c->size);
    int threads = simulation.threads;
    double sent = simulated_sent(c), now = MPI_Wtime();
    stop_watch watch = stop_watch_begin(c);
    status st = STATUS_OK;
    for (int64_t i = 0; st == STATUS_OK && i < images; i += threads) {
        simulated_compute((simulation.p.extract + simulation.p.extract_decode) * threads);
        st = stop_watch_ask(&watch, st);
    }
    double done = MPI_Wtime();
    st = comm_agree(c, st);
    double end = MPI_Wtime();
    *out = (simulated_times){end - now, end - done, simulated_sent(c) - sent};
    return st;
}
