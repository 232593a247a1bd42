/* What the clustering leaves behind between iterations: rows of metrics.csv, checkpoints, a line in
 * the log; and where an interrupted one goes on. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_REPORT_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_REPORT_H

#include "io/files/metrics.h"
#include "io/hdf5/features.h"
#include "mpi/kmeans.h"
#include "src/app/stage/stage.h"
#include "src/base/log.h"

typedef struct cluster_report {
    stage *t;
    metrics *metrics; /* rank 0's */
    uint64_t key;     /* of the stage and of a sample of its features */
    int64_t rows;     /* of all ranks */
    bool resumed;
    kmeans_state state; /* if resumed: to continue from */
    double passes;      /* over all rows, by this process; a mini-batch counts by its share */
    double saved, save_seconds; /* when the last checkpoint was written, how long it took */
    char folder[FILE_PATH];
    progress bar;
} cluster_report;

/* Looks for a checkpoint of the stage with this key and features (unless run.resume is "never"),
 * opens metrics.csv after its last iteration. Safe to end after any status. Collective. */
status cluster_report_begin(cluster_report *r, stage *t, const features *x);
/* kmeans_run's report; context: the cluster_report. A checkpoint every
 * cluster.checkpoint_iterations iterations, unless writing would take more than a twentieth of the
 * time, and when a stop is requested: STATUS_STOPPED. Collective. */
status cluster_report_iteration(void *context, const kmeans_iteration *it);
/* Removes the checkpoints, whose result is written. Collective. */
void cluster_report_forget(cluster_report *r);
void cluster_report_end(cluster_report *r);

#endif
