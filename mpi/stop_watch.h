/* Work that ranks do side by side, each its own share, without meeting for minutes or hours: as
 * soon as one of them is asked to stop, or fails, all of them leave. A loop reads
 *
 *   stop_watch w = stop_watch_begin(c);
 *   while (st == STATUS_OK && there is more) {
 *       st = ... one piece ...;
 *       st = stop_watch_ask(&w, st);
 *   }
 *   st = stop_watch_end(&w, st);
 *
 * Called by the thread that began MPI alone. When each rank leaves depends on time; which pieces
 * are done by then is for the caller to keep. */
#ifndef AUXSEG_MPI_STOP_WATCH_H
#define AUXSEG_MPI_STOP_WATCH_H

#include "mpi/comm.h"

enum { STOP_WATCH_NEIGHBOURS = 3 };

typedef struct stop_watch {
    const comm *c; /* borrowed */
    bool told;     /* this rank has told its neighbours */
    bool whole;    /* nothing is kept of a part of the work */
    int neighbour[STOP_WATCH_NEIGHBOURS], neighbours;
    bool heard[STOP_WATCH_NEIGHBOURS];
} stop_watch;

/* Not collective, but every rank begins as many as the others, one after another. */
stop_watch stop_watch_begin(const comm *c);
/* For work of which nothing is kept when it is left: a request ends it, a deadline does not. The
 * next job would begin it anew and meet its own deadline at the same place, and so for ever. */
stop_watch stop_watch_begin_whole(const comm *c);
/* How it goes on: st if that is not STATUS_OK; STATUS_STOPPED if this rank is asked to stop
 * (src/base/stop.h) or another one has left. Not collective, no waiting. */
status stop_watch_ask(stop_watch *w, status st);
/* The worst of all ranks' statuses (comm_agree), on every rank. Collective. */
status stop_watch_end(stop_watch *w, status st);

#endif
