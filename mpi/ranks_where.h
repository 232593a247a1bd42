/* Which ranks something holds for, named with their hosts: for messages about ranks that differ. */
#ifndef AUXSEG_MPI_RANKS_WHERE_H
#define AUXSEG_MPI_RANKS_WHERE_H

#include "mpi/comm.h"

enum { RANKS_WHERE_TEXT = 2048 };

typedef struct ranks_where {
    int count, lowest;           /* how many; the lowest rank, -1: none */
    char text[RANKS_WHERE_TEXT]; /* "rank 1 on node7, ranks 8 to 15 on node9, and 40 more" */
} ranks_where;

/* The ranks whose `mine` is true, the same on every rank. Collective. */
ranks_where ranks_where_true(const comm *c, bool mine);
/* The ranks whose `mine` is not rank 0's, likewise. Collective. */
ranks_where ranks_where_other(const comm *c, uint64_t mine);

#endif
