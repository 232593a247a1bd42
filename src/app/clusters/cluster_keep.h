/* Checkpoints of a clustering, and requests to stop it: what happens between two iterations, for
 * the stage and for the command `kmeans` alike. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_KEEP_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_KEEP_H

#include "io/files/file.h"
#include "io/files/metrics.h"
#include "mpi/kmeans.h"
#include "src/base/timer.h"

typedef struct cluster_keep {
    const comm *c;
    const char *name; /* as checkpoints are called, and in the log */
    char folder[FILE_PATH];
    uint64_t key;  /* of what the result depends on: another one's checkpoints are passed over */
    int every;     /* iterations; 0: only when it is stopped */
    metrics *rows; /* rank 0's, which a checkpoint must not be ahead of on disk; NULL: none */
    timers *time;  /* of this rank, is added to; NULL: none is kept */
    bool resumed;
    kmeans_state state;         /* if resumed: to continue from */
    double saved, save_seconds; /* when the last checkpoint was written, how long it took */
} cluster_keep;

/* Looks for a checkpoint; the members above `resumed` are set by the caller. Collective. */
status cluster_keep_find(cluster_keep *p, int k, int d);
/* After each iteration, with what this rank has to say of it: the worst code of all ranks, or
 * STATUS_STOPPED where one was asked to stop. A checkpoint every `every` iterations, unless writing
 * would take more than a twentieth of the time, and when it stops. Collective. */
status cluster_keep_iteration(cluster_keep *p, const kmeans_iteration *it, status mine);
/* Removes the checkpoints, whose result is written. Collective. */
void cluster_keep_forget(cluster_keep *p);
/* Of zeros: nothing. */
void cluster_keep_end(cluster_keep *p);

#endif
