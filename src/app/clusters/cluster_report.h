/* What the clustering leaves behind between iterations: rows of metrics.csv, checkpoints, a line in
 * the log; and where an interrupted one goes on. */
#ifndef AUXSEG_APP_CLUSTERS_CLUSTER_REPORT_H
#define AUXSEG_APP_CLUSTERS_CLUSTER_REPORT_H

#include "io/files/metrics.h"
#include "io/hdf5/features.h"
#include "src/app/clusters/cluster_keep.h"
#include "src/app/stage/stage.h"
#include "src/base/log.h"

typedef struct cluster_report {
    stage *t;
    metrics *metrics;  /* rank 0's */
    cluster_keep keep; /* its key is that of the stage and of a sample of its features */
    int64_t rows;      /* of all ranks */
    int64_t written;   /* rows of the stage in metrics.csv, those of earlier starts too */
    double passes;     /* over all rows, by this process; a mini-batch counts by its share */
    progress bar;
} cluster_report;

/* Looks for a checkpoint of the stage with this key and features (unless run.resume is "never"),
 * opens metrics.csv after its last iteration. Safe to end after any status. Collective. */
status cluster_report_begin(cluster_report *r, stage *t, const features *x);
/* kmeans_run's report; context: the cluster_report. Checkpoints and stops as cluster_keep.h says.
 * Collective. */
status cluster_report_iteration(void *context, const kmeans_iteration *it);
/* Removes the checkpoints, whose result is written. Collective. */
void cluster_report_forget(cluster_report *r);
void cluster_report_end(cluster_report *r);

#endif
