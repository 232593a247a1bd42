/* A rank that hangs would keep all others waiting until the batch system's time limit. A thread of
 * each rank looks at what the others show of their progress (src/base/pulse.h), and ends the job
 * with STATUS_HUNG once one has shown none for too long, after naming it: its host, what it was
 * doing, for how long. The thread never calls MPI. No result depends on it.
 *
 *   frozen     the process does not run at all: stopped, or its node is lost
 *   stuck      it runs, but does no piece of work, waits for no other rank and for no file system
 *   deadlock   all ranks wait for each other
 *
 * Not taken for any of these: a process that a debugger has (but a node's first rank, where there
 * are several nodes); a call of a library that is known to last (pulse_library); a slow file system
 * (a warning names the rank); a job that was suspended as a whole. mpi/README.md says why it is
 * built so. */
#ifndef AUXSEG_MPI_WATCHDOG_H
#define AUXSEG_MPI_WATCHDOG_H

#include "mpi/comm.h"

typedef struct watchdog watchdog;

/* Before MPI's start, so that this is watched, too: between the ranks of a node. seconds: the limit
 * as far as it is known by now; 0: none. NULL, and no watch, where this is no rank of a launcher's.
 * Not collective. */
watchdog *watchdog_begin(double seconds);
/* The limit that holds from now on; 0 ends the watch. Nodes find each other, at the first call. w
 * may be NULL: then the watch begins here. c: of all ranks, as it is they that are watched.
 * Collective. */
status watchdog_connect(watchdog **w, const comm *c, double seconds);
/* After MPI's end. NULL-safe. Not collective. */
void watchdog_end(watchdog *w);

#endif
