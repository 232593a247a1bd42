/* The ranks of a node as a group that holds large things once: memory that all of them see, and
 * gathers that go between the groups' leaders alone. A group are the ranks of a node that stand
 * side by side, so that its part of what is gathered in rank order is one piece: launchers fill one
 * node after the other, unless they are told to deal ranks in turn, which makes groups of one. */
#ifndef AUXSEG_MPI_NODE_H
#define AUXSEG_MPI_NODE_H

#include "mpi/comm.h"

typedef struct node {
    const comm *all; /* borrowed; NULL: one rank without MPI */
    comm *ranks;     /* of this group: owned */
    comm *leaders;   /* one of each group, in rank order, on these alone; else NULL: owned */
    int groups;
    int sharing;   /* groups of this node that have a window */
    int *first;    /* [groups + 1], of each group its first rank */
    size_t *bytes; /* [groups], of a gather */
    bool shared;   /* memory is a window of the group; else this rank's own */
    MPI_Win window;
    void *memory; /* [size], of all ranks of the group */
    size_t size;
} node;

/* c is borrowed for its life. Collective. */
status node_create(node **out, const comm *c);
/* Collective. NULL-safe. */
void node_destroy(node *n);

/* Not collective: this rank in its group, and how many there are. */
int node_rank(const node *n);
int node_size(const node *n);

/* n->memory has at least so many bytes, what was in it may be gone, and where it is may differ from
 * rank to rank. `bytes` is the same on all ranks. Where the system has no room for shared memory,
 * each rank takes its own, with a line in the log. STATUS_FAILED with a message. Collective. */
status node_reserve(node *n, size_t bytes);
/* What the group's ranks have written before is seen by all of them afterwards. Collective over the
 * group. */
void node_meet(const node *n);
/* Gathers in n->memory. Each rank has written its part at its place in `all` (bytes [ranks], known
 * everywhere), and the group has met; afterwards, and after one more meeting, all parts are there.
 * Collective over the leaders; others do nothing. */
void node_gather(const node *n, const size_t *bytes, void *all);

#endif
