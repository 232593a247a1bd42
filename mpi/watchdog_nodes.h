/* What nodes know of each other: each sends a short datagram a beat to two of them. For
 * mpi/watchdog.c alone. */
#ifndef AUXSEG_MPI_WATCHDOG_NODES_H
#define AUXSEG_MPI_WATCHDOG_NODES_H

#include "mpi/comm.h"
#include "src/base/pulse.h"

enum { WATCHDOG_HOST = 64 };

/* A node, in what its first rank sends of it. */
typedef struct node_report {
    uint64_t token;                /* of the job: what has another one is not ours */
    int32_t first, ranks, waiting; /* its lowest rank; how many; how many of them wait in MPI */
    int32_t answer;                /* 1: of a node that was written to */
    uint64_t ticks;                /* of all of its ranks */
    pulse behind;                  /* of its rank that is at the lowest step */
    char host[WATCHDOG_HOST];
} node_report;

typedef struct watchdog_nodes watchdog_nodes;

/* What is wrong, if anything is. */
typedef enum node_verdict {
    NODES_FINE,
    NODES_SILENT, /* a node has not been heard of for as long */
    NODES_WAIT    /* all ranks of all nodes wait for each other */
} node_verdict;

/* first: whether this rank is the lowest of its node. *out NULL where there is one node only, on
 * ranks that are not the first of theirs, and where there are no sockets (a warning says so).
 * Collective. */
status watchdog_nodes_create(watchdog_nodes **out, const comm *c, bool first);
/* NULL-safe. */
void watchdog_nodes_destroy(watchdog_nodes *n);
/* Whether both nodes that listen have answered. Not collective. */
bool watchdog_nodes_reached(const watchdog_nodes *n);
/* Sends `mine` to the two nodes that listen; one of them also judges what it has heard in the `dt`
 * seconds since the last call: *about is the node, and for how long. Not collective, never waits.
 */
node_verdict watchdog_nodes_beat(watchdog_nodes *n, node_report *mine, double dt, double limit,
    node_report *about, double *seconds);

#endif
