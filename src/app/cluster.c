#include "src/app/cluster.h"

#include "io/labels.h"
#include "mpi/kmeans.h"
#include "src/app/commands.h"
#include "src/app/extract.h"
#include "src/app/ledger.h"
#include "src/app/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "io/metrics.h"

#include <math.h>
#include <string.h>

typedef struct cluster_report {
    const comm *c;
    metrics *rows; /* rank 0's */
    timers *time;
    int step, round;
    const char *stage;
} cluster_report;

static kmeans_options options_of(const settings *s) {
    return (kmeans_options){.k = s->cluster.k,
        .iterations = s->cluster.iterations,
        .restarts = s->cluster.restarts,
        .threads = setup_threads(s),
        .cosine = strcmp(s->cluster.metric, "cosine") == 0,
        .tolerance = s->cluster.tolerance,
        .init = strcmp(s->cluster.init, "random") == 0 ? KMEANS_RANDOM : KMEANS_PLUSPLUS,
        .sample = s->cluster.sample,
        .seed = (uint64_t)s->run.seed,
        .outliers = s->cluster.outliers,
        .scope =
            strcmp(s->cluster.outlier_scope, "cluster") == 0 ? OUTLIERS_CLUSTER : OUTLIERS_GLOBAL};
}

/* One row of metrics.csv an iteration. */
static status report_iteration(void *context, const kmeans_iteration *it) {
    cluster_report *r = context;
    metrics_row row = METRICS_EMPTY(r->stage, r->round, ++r->step);
    row.objective = it->objective;
    row.imbalance = it->imbalance;
    row.changed = (double)it->changed;
    row.kept = (double)it->kept;
    row.repaired = it->repaired;
    row.seconds = it->assign_seconds + it->update_seconds;
    r->time->seconds[PHASE_ASSIGN] += it->assign_seconds;
    r->time->seconds[PHASE_UPDATE] += it->update_seconds;
    log_info("k-means: restart %d, iteration %d: objective %.6g, imbalance %.2f, %lld rows changed",
        it->restart, it->iteration, it->objective, it->imbalance, (long long)it->changed);
    status st = comm_root(r->c) ? metrics_write(r->rows, &row) : STATUS_OK;
    if (st == STATUS_OK && stop_requested()) st = STATUS_STOPPED;
    return comm_agree(r->c, st);
}

/* Pixels of each image, as kmeans_run wants them; owned by the caller. */
static int64_t *rows_of_images(const feature_block *b) {
    int64_t *rows = memory_alloc((size_t)b->images, sizeof *rows, "rows of images");
    for (int64_t i = 0; rows && i < b->images; i++) rows[i] = (int64_t)b->height[i] * b->width[i];
    return rows;
}

static status write_labels(const comm *c, const settings *s, const dataset *d,
    const feature_block *b, const kmeans_result *r, const char *path, uint64_t *hash) {
    int n = setup_training(d);
    const char **names = memory_alloc((size_t)n, sizeof *names, "image names");
    status st = comm_agree(c, names ? STATUS_OK : STATUS_FAILED);
    for (int i = 0; names && i < n; i++) names[i] = dataset_get(d, i).name;
    labels_info info = {.k = s->cluster.k,
        .d = b->rows.d,
        .iterations = r->iterations,
        .objective = r->objective,
        .outlier_threshold = r->outlier_threshold,
        .method = s->cluster.method,
        .metric = s->cluster.metric,
        .dataset = dataset_hash(d)};
    if (st == STATUS_OK)
        st = labels_write(c, path, &info, n, b->first, b->images, b->height, b->width, r->label,
            r->centroids, names, hash);
    memory_free(names);
    return st;
}

static status cluster_key(
    const comm *c, const settings *s, const dataset *d, int round, uint64_t *key) {
    char weights[FILE_PATH];
    uint64_t parts[3] = {dataset_hash(d), settings_hash(s, "run,dataset,model,extract,cluster"), 0};
    status st = extract_weights_path(weights, s, round);
    if (st == STATUS_OK && comm_root(c)) st = file_hash(weights, &parts[2]);
    st = comm_agree(c, st);
    comm_broadcast(c, &parts[2], sizeof parts[2]);
    *key = hash_bytes(parts, sizeof parts);
    return st;
}

static status cluster_features(const comm *c, const settings *s, const feature_block *b, int round,
    timers *time, kmeans_result *out) {
    char path[FILE_PATH];
    cluster_report report = {c, NULL, time, 0, round, "cluster"};
    kmeans_options o = options_of(s);
    int64_t *rows = rows_of_images(b);
    status st = rows ? setup_path(path, s, "metrics.csv", 1) : STATUS_FAILED;
    if (st == STATUS_OK && comm_root(c)) st = metrics_open(&report.rows, path, "cluster", round, 0);
    st = comm_agree(c, st);
    if (st == STATUS_OK)
        st = kmeans_run(
            c, &o, &b->rows, rows, b->images, b->first, NULL, report_iteration, &report, out);
    metrics_close(report.rows);
    memory_free(rows);
    return st;
}

status cluster_images(const comm *c, const settings *s, int round) {
    char name[LEDGER_NAME], path[FILE_PATH];
    dataset *d = NULL;
    feature_block b = {0};
    kmeans_result r = {0};
    timers time = {0};
    uint64_t key, hash;
    ledger l;
    ledger_name(name, "cluster", round);
    status st = setup_folder(c, s);
    if (st == STATUS_OK) st = ledger_open(&l, c, s);
    if (st != STATUS_OK) return st;
    st = setup_dataset(c, s, &d);
    if (st == STATUS_OK) st = cluster_key(c, s, d, round, &key);
    if (st != STATUS_OK || ledger_done(&l, name, key, NULL)) goto done;

    st = extract_features(c, s, d, round, s->extract.keep, &b);
    if (st == STATUS_OK) st = cluster_features(c, s, &b, round, &time, &r);
    if (st == STATUS_OK) st = comm_agree(c, setup_path(path, s, "labels.h5", round));
    if (st == STATUS_OK) st = write_labels(c, s, d, &b, &r, path, &hash);
    if (st != STATUS_OK) goto done;
    int64_t rows = (int64_t)b.rows.n;
    comm_sum_i64(c, &rows, 1);
    double seconds = time.seconds[PHASE_ASSIGN] + time.seconds[PHASE_UPDATE];
    stage_record record = {.name = name,
        .key = key,
        .output = strrchr(path, '/') + 1,
        .output_hash = hash,
        .fom = seconds > 0 ? (double)rows * r.iterations / seconds : NAN,
        .fom_unit = "pixel iterations/s"};
    if (l.record) st = run_record_set_hash(l.record, round > 1 ? name : "labels", hash);
    st = comm_agree(c, st);
    if (st == STATUS_OK) st = ledger_stage(&l, &record, &time);
done:
    memory_free(r.centroids);
    memory_free(r.label);
    feature_block_destroy(&b);
    dataset_close(d);
    ledger_close(&l);
    return st;
}

status command_cluster(const comm *c, const settings *s) {
    return cluster_images(c, s, 1);
}
