/* The stage with DBSCAN. What comes out has the form of k-means' result, so that all that follows
 * need not ask how the labels were made. There are no iterations, hence no checkpoint: an
 * interrupted run begins anew. How many clusters there are is its result, not a setting. */
#include "src/app/clusters/cluster_dbscan.h"

#include "mpi/dbscan.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

/* How many clusters, and whether eps was a good choice: core points and noise tell. */
static status report_sample(stage *t, const dbscan_result *found) {
    double core = (double)found->core / (double)found->sample;
    double noise = (double)found->noise / (double)found->sample;
    log_info("cluster: DBSCAN: %d clusters in a sample of %lld pixels, %.1f %% core points, %.1f "
             "%% noise",
        found->k, (long long)found->sample, 100 * core, 100 * noise);
    status st = stage_figure(t, t->name, "clusters", found->k);
    if (st == STATUS_OK) st = stage_figure(t, t->name, "core points of the sample", core);
    if (st == STATUS_OK) st = stage_figure(t, t->name, "noise of the sample", noise);
    return comm_agree(t->c, st);
}

/* Counted as one pass over all rows; noise is what it has for outliers, eps^2 the distance that
 * decides. What was found goes to *out as it is, to the caller's hands; on failure it is freed
 * here. */
status cluster_dbscan(cluster_report *r, const features *x, kmeans_result *out, int *k) {
    stage *t = r->t;
    const settings *s = t->s;
    dbscan_result found = {0};
    dbscan_options o = {.eps = s->cluster.eps,
        .min_points = s->cluster.min_points,
        .threads = setup_threads(s),
        .cosine = choices_cosine(s->cluster.metric),
        .sample = s->cluster.sample,
        .seed = (uint64_t)s->run.seed};
    double now = timer_now();
    status st = dbscan_run(t->c, &o, x, &found);
    timer_lap(&t->time, PHASE_ASSIGN, now);
    if (st == STATUS_OK) st = report_sample(t, &found);
    if (st != STATUS_OK) {
        dbscan_result_destroy(&found);
        return st;
    }
    r->passes = 1;
    *k = found.k;
    *out = (kmeans_result){.centroids = found.centroids,
        .label = found.label,
        .objective = found.objective,
        .outlier_threshold = o.eps * o.eps,
        .distance = found.distance};
    return STATUS_OK;
}
