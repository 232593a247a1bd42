/* One rank that leaves its share tells its neighbours in a binary tree over the ranks, and each of
 * them the others of its own: all know after as many messages as there are edges, however many
 * ranks were asked at once. A message has no contents: that it came is what it says. Each rank
 * tells each neighbour at most once, and where one has told, all do before the end, so that the
 * number of messages to receive is known and none is left for later. */
#include "mpi/stop_watch.h"

#include "src/base/pulse.h"
#include "src/base/stop.h"

#include <unistd.h>

/* The only messages from rank to rank on this communicator. PAUSE: microseconds between two looks
 * of a rank that is done with its share; nothing but a stop waits for it. In every LOOKS of them it
 * asks whether it shall stop itself, which may reach a file system. */
enum { TAG = 1, PAUSE = 200, LOOKS = 500 };
static char nothing; /* what is sent: 0 bytes of it */

stop_watch stop_watch_begin(const comm *c) {
    stop_watch w = {.c = c};
    int rank = comm_rank(c), size = comm_size(c);
    const int around[STOP_WATCH_NEIGHBOURS] = {(rank - 1) / 2, 2 * rank + 1, 2 * rank + 2};
    for (int i = 0; i < STOP_WATCH_NEIGHBOURS; i++) {
        bool there = i == 0 ? rank > 0 : around[i] < size;
        if (there) w.neighbour[w.neighbours++] = around[i];
    }
    return w;
}

stop_watch stop_watch_begin_whole(const comm *c) {
    stop_watch w = stop_watch_begin(c);
    w.whole = true;
    return w;
}

static bool asked(const stop_watch *w) {
    return w->whole ? stop_asked() : stop_requested();
}

/* The request is given up at once: the message is received before the communicator goes. */
static void tell(stop_watch *w) {
    if (w->told) return;
    w->told = true;
    for (int i = 0; i < w->neighbours; i++) {
        MPI_Request sent;
        MPI_Isend(&nothing, 0, MPI_BYTE, w->neighbour[i], TAG, w->c->mpi, &sent);
        MPI_Request_free(&sent);
    }
}

static void receive(stop_watch *w, int i) {
    MPI_Recv(&nothing, 0, MPI_BYTE, w->neighbour[i], TAG, w->c->mpi, MPI_STATUS_IGNORE);
    w->heard[i] = true;
}

/* Whether any neighbour has told; what is heard is told on. */
static bool listen(stop_watch *w) {
    bool any = false;
    for (int i = 0; i < w->neighbours; i++) {
        int there = 0;
        if (!w->heard[i]) MPI_Iprobe(w->neighbour[i], TAG, w->c->mpi, &there, MPI_STATUS_IGNORE);
        if (there) receive(w, i);
        any = any || w->heard[i];
    }
    if (any) tell(w);
    return any;
}

status stop_watch_ask(stop_watch *w, status st) {
    bool others = listen(w);
    if (st == STATUS_OK && (others || asked(w))) st = STATUS_STOPPED;
    if (st != STATUS_OK) tell(w);
    return st;
}

/* A rank that is done with its share is still on the way between others, and may be the one that is
 * asked: it goes on listening until all have come. Whether anybody has told is asked then, when
 * nobody can begin to any more. */
status stop_watch_end(stop_watch *w, status st) {
    if (comm_size(w->c) == 1) return st;
    /* Of the codes comm_agree's order: an error above a stop above none. */
    int worst = st == STATUS_STOPPED ? 1 : st == STATUS_OK ? 0 : (int)st + 1, all = 0;
    MPI_Request met;
    if (st != STATUS_OK) tell(w);
    MPI_Iallreduce(&worst, &all, 1, MPI_INT, MPI_MAX, w->c->mpi, &met);
    pulse_wait();
    for (int done = 0, looks = 0; !done; looks++) {
        listen(w);
        if (looks % LOOKS == LOOKS - 1 && asked(w)) tell(w);
        MPI_Test(&met, &done, MPI_STATUS_IGNORE);
        if (!done) usleep(PAUSE);
    }
    int any = w->told;
    MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, w->c->mpi);
    if (any) tell(w);
    for (int i = 0; any && i < w->neighbours; i++)
        if (!w->heard[i]) receive(w, i);
    pulse_go();
    return all == 0 ? STATUS_OK : all == 1 ? STATUS_STOPPED : (status)(all - 1);
}
