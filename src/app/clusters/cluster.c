/* The labelling stage: features, k-means or DBSCAN, labels.h5 and the figures. What happens between
 * iterations is in cluster_report.c, what a start may be given in cluster_start.c. The features are
 * this stage's: extracted on the way where nobody has kept them, and gone at its end. Each rank
 * clusters the rows of its own block of images; centroids are the same on all. */
#include "src/app/clusters/cluster.h"

#include "io/hdf5/labels.h"
#include "mpi/kmeans.h"
#include "mpi/typical.h"
#include "src/app/clusters/cluster_dbscan.h"
#include "src/app/clusters/cluster_odd.h"
#include "src/app/clusters/cluster_report.h"
#include "src/app/clusters/cluster_start.h"
#include "src/app/features/extract.h"
#include "src/app/stage/choices.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <string.h>

/* What the settings mean for k-means. Mini-batches are the same run with another step. */
static kmeans_options options_of(const settings *s) {
    return (kmeans_options){.k = s->cluster.k,
        .batch = s->cluster.method == CLUSTER_METHOD_MINIBATCH ? s->cluster.batch : 0,
        .iterations = s->cluster.iterations,
        .restarts = s->cluster.restarts,
        .threads = setup_threads(s),
        .screen = choices_screen(s->cluster.screen),
        .arithmetic = choices_arithmetic(s->cluster.arithmetic),
        .cosine = choices_cosine(s->cluster.metric),
        .tolerance = s->cluster.tolerance,
        .init = choices_init(s->cluster.init),
        .sample = s->cluster.sample,
        .sample_iterations = s->cluster.sample_iterations,
        .branch_iterations = s->cluster.branch_iterations,
        .seed = (uint64_t)s->run.seed,
        .outliers = s->cluster.outliers,
        .scope = choices_outliers(s->cluster.outlier_scope)};
}

/* Everything that labels.h5 says of itself. Typical pixels are found here, as distances are at
 * hand, which no file keeps. *hash: of the labels. Collective. */
static status write_labels(const stage *t, const features *x, int k, const kmeans_result *r,
    const char *path, uint64_t *hash) {
    typical_pixel *typical = NULL;
    const char **names = stage_names(t);
    status st = comm_agree(t->c, names ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = typical_find(t->c, x, r->label, r->distance, k, &typical);
    labels_info info = {.k = k,
        .d = x->d,
        .iterations = r->iterations,
        .objective = r->objective,
        .outlier_threshold = r->outlier_threshold,
        .method = cluster_method_words[t->s->cluster.method],
        .metric = cluster_metric_words[t->s->cluster.metric],
        .dataset = dataset_hash(t->d),
        .centroids = r->centroids,
        .typical = typical,
        .images = setup_training(t->d),
        .names = names};
    if (st == STATUS_OK) st = labels_write(t->c, path, &info, x, r->label, hash);
    memory_free(names);
    memory_free(typical);
    return st;
}

/* What is held at most from here on, on the rank that holds most; rows that stay in their file are
 * not. Collective. */
static void log_memory(const stage *t, const kmeans_options *o, const features *x) {
    kmeans_memory m = kmeans_needs(o, x->n, x->d);
    double row = x->mapped ? 0 : (double)features_row_bytes(x);
    double mib[] = {(double)x->n * row, (double)m.rows, (double)m.centroids, (double)m.start, 0};
    mib[4] = mib[0] + mib[1] + mib[2] + mib[3];
    comm_max_f64(t->c, mib, sizeof mib / sizeof *mib);
    for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) mib[i] /= 1 << 20;
    log_detail("cluster: at most %.1f MiB a rank beside the program: features %.1f, labels, screen "
               "and bounds of rows %.1f, centroids and sums %.1f, the start %.1f",
        mib[4], mib[0], mib[1], mib[2], mib[3]);
}

/* k-means or its mini-batches, from the beginning, or from where it was interrupted: to the same
 * bits. *out is the caller's to free. A start from a file is read first: one that does not fit is
 * told before the first pass. Collective. */
static status cluster_features(const features *x, cluster_report *r, kmeans_result *out) {
    const stage *t = r->t;
    kmeans_options o = options_of(t->s);
    /* The state is the report's, and stays while the run goes on. */
    if (r->keep.resumed) o.resume = &r->keep.state;
    log_info("%s: %s, %d clusters of %lld rows of %d dimensions", t->name,
        cluster_method_words[t->s->cluster.method], o.k, (long long)x->total, x->d);
    if (o.batch > 0)
        log_info("cluster: mini-batches of %d pixels: centroids are approximate, labels are exact "
                 "for them",
            o.batch);
    log_memory(t, &o, x);
    float *start = NULL;
    int64_t distinct;
    status st = cluster_odd_rows(t->c, "pixels", x, o.k, &distinct);
    if (st == STATUS_OK) st = cluster_start_read(t->c, t->s, x->d, &start);
    if (st == STATUS_OK) st = kmeans_run(t->c, &o, x, start, cluster_report_iteration, r, out);
    if (st == STATUS_OK)
        log_info(
            "%s: objective %.6g after %d iterations", t->name, out->objective, out->iterations);
    memory_free(start);
    return st;
}

/* *k: how many clusters there are, which cluster.k says unless the method finds it. */
static status cluster_by(cluster_report *r, const features *x, kmeans_result *out, int *k) {
    switch (r->t->s->cluster.method) {
    case CLUSTER_METHOD_DBSCAN:
        return cluster_dbscan(r, x, out, k);
    case CLUSTER_METHOD_KMEANS:
    case CLUSTER_METHOD_MINIBATCH:
        break;
    }
    return cluster_features(x, r, out);
}

/* Clusters that no pixel has: a warning where there are any, and always a figure, which replaces
 * that of an earlier result. Collective. */
static status report_empty(stage *t, const features *x, const kmeans_result *r, int k) {
    int empty;
    status st = cluster_odd_labels(t->c, "pixels", r->label, x->n, k, &empty);
    if (st == STATUS_OK)
        st = comm_agree(t->c, stage_figure(t, t->name, "clusters without a pixel", empty));
    return st;
}

/* The stage as a sequence. Checkpoints go when the stage is recorded as done, not before: a kill in
 * between continues instead of beginning anew. The figure of merit counts passes over all rows in
 * the time of the clustering itself: neither the extraction nor files are in it. */
static status cluster_stage(stage *t, const extract_inputs *in) {
    char path[FILE_PATH];
    features x = {0};
    kmeans_result r = {0};
    cluster_report report = {0};
    uint64_t hash;
    int k = t->s->cluster.k;
    double now;
    status st = extract_features(t, in, t->s->extract.keep, &x);
    /* That is the extraction's time. */
    stage_clock(t);
    if (st == STATUS_OK) st = cluster_report_begin(&report, t, &x);
    if (st == STATUS_OK) st = cluster_by(&report, &x, &r, &k);
    if (st == STATUS_OK) st = report_empty(t, &x, &r, k);
    now = timer_now();
    if (st == STATUS_OK) st = stage_path(t, path, "labels.h5");
    if (st == STATUS_OK) st = comm_agree(t->c, metrics_sync(report.metrics));
    if (st == STATUS_OK) st = write_labels(t, &x, k, &r, path, &hash);
    if (st != STATUS_OK) goto done;
    timer_lap(&t->time, PHASE_WRITE, now);
    double seconds = t->time.seconds[PHASE_ASSIGN] + t->time.seconds[PHASE_UPDATE] +
                     t->time.seconds[PHASE_EXCHANGE];
    if (t->record) st = run_record_set_hash(t->record, t->round > 1 ? t->name : "labels", hash);
    st = comm_agree(t->c, st);
    double done = (double)report.rows * report.passes;
    stage_result result = {
        path, hash, seconds > 0 ? done / seconds : NAN, "pixel iterations/s", report.written};
    if (st == STATUS_OK) st = stage_finish(t, &result);
    if (st == STATUS_OK) cluster_report_forget(&report);
done:
    cluster_report_end(&report);
    memory_free(r.centroids);
    memory_free(r.label);
    memory_free(r.distance);
    features_destroy(&x);
    return st;
}

/* What the labels depend on: weights of the extractor or files of features, a start from a file,
 * and the settings of four groups. */
status cluster_images(const comm *c, const settings *s, int round) {
    extract_inputs in;
    stage t;
    bool done = false;
    uint64_t input = 0; /* of a start, and of files if there are any */
    status st = stage_begin(&t, c, s, STAGE_CLUSTER, round);
    if (st == STATUS_OK) st = extract_inputs_find(&t, &in);
    if (st == STATUS_OK) st = cluster_start_hash(c, s, &input);
    if (st == STATUS_OK && in.files) input = hash_append(input, &in.files, sizeof in.files);
    if (st == STATUS_OK) st = stage_key(&t, in.weights, input);
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) st = cluster_stage(&t, &in);
    stage_end(&t);
    return st;
}

/* Rounds after the first are run's alone. */
status command_cluster(const comm *c, const settings *s) {
    return cluster_images(c, s, 1);
}
