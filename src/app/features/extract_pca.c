/* PCA of features that are in memory: the axes of all ranks' rows, a line about what they keep, and
 * projected rows in place of the network's. The axes are the same on every rank, so that each
 * projects its own rows by itself. */
#include "src/app/features/extract_pca.h"

#include "mpi/pca.h"
#include "mpi/stop_watch.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"

#include <stdio.h>

/* The share of the variance that is kept: logged, and among the stage's figures. Features that are
 * all the same have no variance: nothing of it is lost. */
static status report_variance(stage *t, const pca *p) {
    double kept = 0;
    for (int a = 0; a < p->components; a++) kept += p->variance[a];
    double share = p->variance_of_all > 0 ? kept / p->variance_of_all : 1;
    log_info("extract: PCA: %d of %d dimensions keep %.2f %% of the features' variance",
        p->components, p->d, 100 * share);
    char group[STAGE_NAME] = "features";
    if (t->round > 1) snprintf(group, sizeof group, "features-%d", t->round);
    return stage_figure(t, group, "variance kept by PCA", share);
}

/* The variance that is kept tells whether extract.pca was too small: it is logged, and recorded. */
status extract_pca_fit(stage *t, const features *x, pca *out) {
    pca p = {0};
    status st = pca_fit(t->c, x, t->s->extract.pca, setup_threads(t->s), &p);
    if (st == STATUS_OK) st = comm_agree(t->c, report_variance(t, &p));
    if (st == STATUS_OK)
        *out = p;
    else
        pca_destroy(&p);
    return st;
}

/* A projection is shorter than its row; where rows are compared by angle it gets length 1 again. */
status extract_pca_rows(const settings *s, const pca *p, const features *x, float *y) {
    int threads = setup_threads(s), d = p->components;
    status st = pca_project(p, x, threads, y);
    if (st != STATUS_OK || !s->extract.normalize) return st;
#pragma omp parallel for num_threads(threads)
    for (size_t i = 0; i < x->n; i++) unit_length_rows(y + i * (size_t)d, 1, d);
    return STATUS_OK;
}

/* y [n, components], some rows at a time: as many as take a second or two, but so many that packing
 * the axes is nothing beside them. Collective. */
static status project_rows(const stage *t, const pca *p, const features *x, float *y) {
    size_t columns = (size_t)p->components;
    double rows = 0x1p33 * setup_threads(t->s) / ((double)p->d * p->components), least = 1 << 13;
    size_t together = (size_t)(rows > least ? rows : least);
    status st = y ? STATUS_OK : STATUS_FAILED;
    stop_watch watch = stop_watch_begin_whole(t->c);
    for (size_t at = 0; st == STATUS_OK && at < x->n; at += together) {
        const features part = features_part(x, at, x->n - at < together ? x->n - at : together);
        st = extract_pca_rows(t->s, p, &part, y + at * columns);
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* New rows before the old ones go: both are there for a while, which the stage has stated.
 * Collective. */
static status project(const stage *t, const pca *p, features *x) {
    float *y = memory_alloc(x->n * (size_t)p->components, sizeof *y, "projected features");
    status st = project_rows(t, p, x, y);
    if (st != STATUS_OK) {
        memory_free(y);
        return st;
    }
    memory_free(x->data);
    x->data = y;
    x->d = p->components;
    x->type = DTYPE_F32;
    return STATUS_OK;
}

/* Nothing is done where nothing is asked for. */
status extract_pca(stage *t, features *x) {
    pca p = {0};
    if (t->s->extract.pca == 0) return STATUS_OK;
    status st = extract_pca_fit(t, x, &p);
    if (st == STATUS_OK) st = project(t, &p, x);
    pca_destroy(&p);
    return st;
}
