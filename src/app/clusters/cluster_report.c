/* Between two iterations: a row of metrics.csv, a line in the log, a checkpoint where one is due
 * (cluster_keep.c).
 * A checkpoint belongs to the stage's key and to the bits of its features: features of another
 * processor would continue to other labels. */
#include "src/app/clusters/cluster_report.h"

#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

/* Features of another arithmetic (bf16 for f32, another instruction set) do not continue to the
 * same bits: one row of each image tells them. The same for any number of ranks: images' hashes
 * are added. Collective. */
static status features_key(const comm *c, const features *x, uint64_t *key) {
    size_t row = 0;
    int64_t sum = 0;
    float *scratch = memory_alloc((size_t)x->d, sizeof *scratch, "a row of features");
    for (int64_t i = 0; scratch && i < x->images; i++) {
        /* The image's number is part of its hash: images that have changed places are other
         * features. */
        uint64_t at = (uint64_t)(x->first + i);
        size_t rows = features_image_rows(x, i);
        if (rows > 0) {
            const float *middle = features_row(x, row + rows / 2, scratch);
            uint64_t h = hash_bytes(&at, sizeof at);
            h = hash_append(h, middle, (size_t)x->d * sizeof *middle);
            sum += (int64_t)(h >> 24); /* 40 bits: no sum overflows */
            features_release(x, row + rows / 2, 1);
        }
        row += rows;
    }
    status st = comm_agree(c, scratch ? STATUS_OK : STATUS_FAILED);
    memory_free(scratch);
    if (st != STATUS_OK) return st;
    comm_sum_i64(c, &sum, 1);
    *key = hash_append(*key, &sum, sizeof sum);
    return STATUS_OK;
}

/* Rows of metrics.csv after the last checkpoint are dropped: the iterations come again, to the
 * same figures. */
status cluster_report_begin(cluster_report *r, stage *t, const features *x) {
    char path[FILE_PATH];
    const settings *s = t->s;
    *r = (cluster_report){.t = t, .rows = x->total};
    cluster_keep *keep = &r->keep;
    *keep = (cluster_keep){.c = t->c,
        .name = t->name,
        .key = t->key,
        .every = s->cluster.checkpoint_iterations,
        .time = &t->time};
    status st = setup_path(path, s, "metrics.csv", 1);
    if (st == STATUS_OK) st = setup_path(keep->folder, s, "checkpoints", 1);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) st = features_key(t->c, x, &keep->key);
    if (st == STATUS_OK && s->run.resume == RUN_RESUME_AUTO)
        st = cluster_keep_find(keep, s->cluster.k, x->d);
    int64_t done = keep->resumed ? keep->state.passes : 0;
    r->written = done;
    /* One more than iterations: the first pass is the start's. */
    r->bar = progress_begin(
        t->name, "passes", done, (int64_t)s->cluster.restarts * (s->cluster.iterations + 1));
    if (st == STATUS_OK && comm_root(t->c))
        st = metrics_open(&r->metrics, path, t->base, t->round, done);
    if (s->run.tensorboard) metrics_show(r->metrics, t->name, done);
    keep->rows = r->metrics;
    return comm_agree(t->c, st);
}

/* Iterations are counted over restarts, so that a curve of the whole run has one axis. */
static status write_row(cluster_report *r, const kmeans_iteration *it) {
    metrics_row row = METRICS_EMPTY(r->t->base, r->t->round, it->state->passes);
    row.objective = it->objective;
    row.imbalance = it->imbalance;
    if (it->changed >= 0) row.changed = (double)it->changed;
    row.kept = (double)it->kept / (double)it->rows;
    row.repaired = it->repaired;
    row.seconds = it->assign_seconds + it->update_seconds;
    row.assign = it->assign_seconds;
    row.update = it->update_seconds - it->exchange_seconds;
    row.exchange = it->exchange_seconds;
    return metrics_write(r->metrics, &row);
}

static void log_iteration(cluster_report *r, const kmeans_iteration *it) {
    char note[64];
    if (it->changed >= 0)
        log_detail(
            "%s: restart %d, iteration %d: objective %.6g, imbalance %.2f, %lld rows changed; %s "
            "products, %.0f %% of all computed, %.2f centroids a row kept",
            r->t->name, it->restart, it->iteration, it->objective, it->imbalance,
            (long long)it->changed, it->arithmetic, 100 * it->visited,
            (double)it->kept / (double)it->rows);
    snprintf(note, sizeof note, "objective %.6g", it->objective);
    progress_update(&r->bar, it->state->passes, note);
}

/* Time goes to the stage's phases, figures to log and file; then all ranks decide alike whether to
 * go on. */
status cluster_report_iteration(void *context, const kmeans_iteration *it) {
    cluster_report *r = context;
    r->passes += (double)it->rows / (double)r->rows;
    r->written = it->state->passes;
    r->t->time.seconds[PHASE_ASSIGN] += it->assign_seconds;
    r->t->time.seconds[PHASE_UPDATE] += it->update_seconds - it->exchange_seconds;
    r->t->time.seconds[PHASE_EXCHANGE] += it->exchange_seconds;
    log_iteration(r, it);
    status st = comm_root(r->t->c) ? write_row(r, it) : STATUS_OK;
    return cluster_keep_iteration(&r->keep, it, st);
}

/* The result is in place: what led to it is not needed. */
void cluster_report_forget(cluster_report *r) {
    cluster_keep_forget(&r->keep);
}

/* Also of one that did not begin. */
void cluster_report_end(cluster_report *r) {
    cluster_keep_end(&r->keep);
    metrics_close(r->metrics);
    *r = (cluster_report){0};
}
